import { type SwapOptions, targetOf } from "../engine/options.ts";
import { deviceNameRefusals } from "./device-name.ts";
import type { Manifests, PlainObject } from "./manifest.ts";

/** Options of the manifests. */
export interface KubernetesOptions {
  readonly swap: SwapOptions;
  readonly image: string;
  /** Flags of `wasp install` on each node. */
  readonly flags: readonly string[];
}

const NAMESPACE = "wasp";
const NAME = "wasp-install";
const LABELS = { "app.kubernetes.io/name": NAME };
// Mount point of the node's root in the container.
const HOST = "/host";
// It does nothing, and nodes have it already: container runtimes use it for the sandbox of each pod.
const PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1";

/**
 * Returns manifests that run `wasp install` on each worker of a cluster, as Kubernetes itself has no means of setting up
 * nodes. A worker gets the same as any other host.
 */
export function kubernetesManifests({ swap, image, flags }: KubernetesOptions): Manifests {
  const target = targetOf(swap);
  const refusals = target?.kind === "device" ? deviceNameRefusals(target.path) : [];
  if (refusals.length > 0) return { refusals };
  return {
    manifests: [
      {
        comment: "Setting up a node needs a privileged pod, which both other pod security levels forbid.",
        object: namespace(),
      },
      {
        comment:
          "Runs wasp install on each worker, and again when its flags change. Its changes stay when this is deleted: wasp uninstall undoes them.",
        object: daemonSet(image, flags),
      },
    ],
  };
}

function namespace(): PlainObject {
  const labels = { "app.kubernetes.io/name": NAMESPACE, "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } };
}

function daemonSet(image: string, flags: readonly string[]): PlainObject {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
    spec: {
      selector: { matchLabels: LABELS },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
      template: { metadata: { labels: LABELS }, spec: podSpec(image, flags) },
    },
  };
}

function podSpec(image: string, flags: readonly string[]): object {
  return {
    ...WORKERS,
    // systemctl compares its root with that of process 1 (systemd src/basic/virt.c, running_in_chroot).
    hostPID: true,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    initContainers: [installer(image, flags)],
    containers: [PAUSE],
    volumes: [{ name: "host", hostPath: { path: "/", type: "Directory" } }],
  };
}

// The same workers as for the agent in manifests/base.
const WORKERS = {
  nodeSelector: { "kubernetes.io/os": "linux" },
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: "node-role.kubernetes.io/worker", operator: "Exists" }] },
          {
            matchExpressions: [
              { key: "node-role.kubernetes.io/control-plane", operator: "DoesNotExist" },
              { key: "node-role.kubernetes.io/master", operator: "DoesNotExist" },
            ],
          },
        ],
      },
    },
  },
  tolerations: [{ operator: "Exists" }],
};

// It sets up disks and calls systemd, which needs root on the node.
function installer(image: string, flags: readonly string[]): object {
  return {
    name: "install",
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["install", `--chroot=${HOST}`, ...flags],
    resources: { requests: { cpu: "20m", memory: "256Mi" }, limits: { memory: "256Mi" } },
    securityContext: { privileged: true, runAsUser: 0, runAsGroup: 0, readOnlyRootFilesystem: true },
    volumeMounts: [{ name: "host", mountPath: HOST, mountPropagation: "HostToContainer" }],
  };
}

const PAUSE = {
  name: "pause",
  image: PAUSE_IMAGE,
  resources: { requests: { cpu: "1m", memory: "8Mi" }, limits: { memory: "8Mi" } },
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    runAsUser: 65535,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
    seccompProfile: { type: "RuntimeDefault" },
  },
};
