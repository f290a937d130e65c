import { type SwapOptions, targetOf } from "../engine/options.ts";
import { refusalsOfName } from "./device-name.ts";
import type { Manifests, PlainObject } from "./manifest.ts";

/** What the manifests are made of. */
export interface KubernetesOptions {
  readonly swap: SwapOptions;
  readonly image: string;
  /** What `wasp install` is told on each node. */
  readonly flags: readonly string[];
}

const NAMESPACE = "wasp";
const NAME = "wasp-install";
const LABELS = { "app.kubernetes.io/name": NAME };
// Where the node's root is in the container.
const HOST = "/host";
// It does nothing; a node has it, or one like it, for each of its pods.
const PAUSE_IMAGE = "registry.k8s.io/pause:3.10.1";

/**
 * Makes what has each worker of a cluster run `wasp install` itself, for Kubernetes has nothing of its own that sets up
 * nodes: so a worker is given the same as any other host.
 */
export function kubernetesManifests({ swap, image, flags }: KubernetesOptions): Manifests {
  const target = targetOf(swap);
  const refusals = target?.kind === "device" ? refusalsOfName(target.path) : [];
  if (refusals.length > 0) return { refusals };
  return {
    manifests: [
      { comment: "Both other levels forbid what it takes to set up a node.", object: namespace() },
      {
        comment:
          "Runs wasp install on each worker, anew when its flags change. What it made stays when this is deleted: wasp uninstall undoes it.",
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
    // As systemctl wants to see that it is in the root that init has (systemd src/basic/virt.c, running_in_chroot).
    hostPID: true,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 1,
    initContainers: [installer(image, flags)],
    containers: [PAUSE],
    volumes: [{ name: "host", hostPath: { path: "/", type: "Directory" } }],
  };
}

// As manifests/base has it for the agent.
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

// It sets up disks, and has systemd do things: nothing less than the node's own root can.
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
