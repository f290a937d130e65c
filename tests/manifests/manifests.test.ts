import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { parse } from "yaml";
import { version } from "../../package.json";
import { NRI_SOCKET } from "../../src/config/nri/plugin-knobs.ts";
import { build, COMPONENTS, filesOf, find, type KubernetesObject, MANIFESTS } from "./kustomize.ts";
import { complaintsAbout } from "./openapi.ts";

// remove-hook is only valid together with install-hook, and eviction-dry-run only without eviction.
const HOOK_COMPONENTS = ["components/install-hook", "components/remove-hook"];
const OTHERS = COMPONENTS.filter((component) => !HOOK_COMPONENTS.includes(component));
const TOGETHER = COMPONENTS.filter((component) => component !== "components/eviction-dry-run");

const base = build();
const everything = build(OTHERS.filter((component) => TOGETHER.includes(component)));
const podOf = (objects: KubernetesObject[]) => find(objects, "DaemonSet").spec.template;
const [agent] = podOf(base).spec.containers;
const config = parse(find(base, "ConfigMap").data["config.yaml"]);

describe("the manifests", () => {
  test.each(["base", ...COMPONENTS])("%s uses every file of its folder", (folder) => {
    expect(readdirSync(`${MANIFESTS}/${folder}`).sort()).toEqual(
      ["kustomization.yaml", ...filesOf(folder)].sort(),
    );
  });

  test.each([
    { name: "the base alone", components: [] },
    ...OTHERS.map((component) => ({ name: component, components: [component] })),
    { name: "components/install-hook", components: HOOK_COMPONENTS.slice(0, 1) },
    { name: "components/remove-hook", components: HOOK_COMPONENTS },
    { name: "all components that go together", components: TOGETHER },
  ])("are valid with $name", ({ components }) => {
    const objects = build(components);
    expect(objects.length).toBeGreaterThan(5);
    expect(objects.flatMap(complaintsAbout)).toEqual([]);
  });

  test("refer to each other by the right names", () => {
    const { serviceAccountName, volumes } = podOf(everything).spec;
    const binding = find(base, "ClusterRoleBinding");
    const { namespace } = find(base, "ServiceAccount", serviceAccountName).metadata;
    expect(binding.subjects).toEqual([{ kind: "ServiceAccount", name: serviceAccountName, namespace }]);
    expect(find(base, binding.roleRef.kind, binding.roleRef.name).rules).not.toBeEmpty();
    const configName = volumes.find(({ configMap }: KubernetesObject) => configMap)?.configMap.name;
    expect(find(base, "ConfigMap", configName).data).toHaveProperty(["config.yaml"]);
    const [{ volumeMounts }] = podOf(everything).spec.containers;
    const names = (list: { name: string }[]) => list.map(({ name }) => name).sort();
    expect(names(volumeMounts)).toEqual(names(volumes));
  });

  test("are all in one namespace", () => {
    const clusterWide = ["ClusterRole", "ClusterRoleBinding", "Namespace"];
    const others = everything.filter(({ kind }) => !clusterWide.includes(kind));
    expect(others.map(({ metadata }) => metadata.namespace)).toEqual(
      others.map(() => find(base, "Namespace").metadata.name),
    );
  });

  test("select exactly the agents' pods", () => {
    const { labels } = podOf(base).metadata;
    expect(find(base, "DaemonSet").spec.selector).toEqual({ matchLabels: labels });
    const { selector, podMetricsEndpoints } = find(everything, "PodMonitor").spec;
    expect(selector).toEqual({ matchLabels: labels });
    expect(agent.ports).toContainEqual(expect.objectContaining({ name: podMetricsEndpoints[0].port }));
  });

  test("allow OpenShift's Prometheus to list the agents' pods, and nothing else", () => {
    const objects = build(["components/openshift-monitoring"]);
    expect(find(objects, "Role", "wasp-prometheus").rules).toEqual([
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] },
    ]);
    const { roleRef, subjects } = find(objects, "RoleBinding", "wasp-prometheus");
    expect(roleRef).toMatchObject({ kind: "Role", name: "wasp-prometheus" });
    expect(subjects).toEqual([
      { kind: "ServiceAccount", name: "prometheus-k8s", namespace: "openshift-monitoring" },
    ]);
    const label = { "openshift.io/cluster-monitoring": "true" };
    expect(find(base, "Namespace").metadata.labels).not.toMatchObject(label);
    expect(find(objects, "Namespace").metadata.labels).toMatchObject(label);
  });

  test("run this version, by an image name without a registry", () => {
    expect(agent.image).toBe(`localhost/wasp:${version}`);
    expect(agent.imagePullPolicy).toBe("IfNotPresent");
  });
});

describe("the configuration", () => {
  const text = find(base, "ConfigMap").data["config.yaml"] as string;

  test("is mounted as a directory, so that a change is visible, and named by a flag", () => {
    const mount = agent.volumeMounts.find(({ name }: { name: string }) => name === "config");
    expect(agent.args).toContain(`--config=${mount.mountPath}/config.yaml`);
    expect(mount).not.toHaveProperty("subPath");
  });

  test("sets these knobs only", () => {
    const { apiVersion, kind, ...knobs } = config;
    expect({ apiVersion, kind }).toEqual({ apiVersion: "wasp.io/v1alpha1", kind: "WaspConfiguration" });
    expect(knobs).toEqual({
      swapBehavior: "LimitedSwap",
      workloads: "Burstable",
      podOverrides: "Lower",
      excludeNamespaces: ["kube-system", "openshift*"],
      systemReservedSwap: "0",
      dryRun: false,
      evictionMode: "Off",
      podSource: "Kubelet",
      httpPort: 9809,
      logFormat: "Json",
      verbosity: 2,
    });
  });

  test("documents each knob in the line before it", () => {
    const lines = text.trim().split("\n");
    const knobs = lines
      .flatMap((line, index) => (/^(# )?\w+: [^ ]+( \S+\])?$/.test(line) ? [index] : []))
      .slice(2);
    expect(knobs).toHaveLength(12);
    for (const index of knobs) expect(lines[index - 1]).toMatch(/^# [A-Z].*\.$/);
  });

  test.each([
    ["eviction", "Enforce"],
    ["eviction-dry-run", "DryRun"],
  ])("of the component %s differs in the mode alone, which no flag holds", (component, mode) => {
    const objects = build([`components/${component}`]);
    const changed = text.replace("\nevictionMode: Off\n", `\nevictionMode: ${mode}\n`);
    expect(changed).not.toBe(text);
    expect(find(objects, "ConfigMap").data).toEqual({ "config.yaml": changed });
    expect(podOf(objects).spec.containers[0].args).toEqual(agent.args);
  });

  test("of the component kubelet-limited-swap leaves swap limits to the kubelet, in any mode of eviction", () => {
    for (const others of [[], ["components/eviction"]]) {
      const objects = build(["components/kubelet-limited-swap", ...others]);
      const { args } = podOf(objects).spec.containers[0];
      expect(args).toEqual([...agent.args, "--swap-limits=Kubelet"]);
      expect(find(objects, "ConfigMap").data).toEqual(find(build(others), "ConfigMap").data);
      expect(find(objects, "ClusterRole").rules).toEqual(find(build(others), "ClusterRole").rules);
    }
  });

  test("has the port of the probes and of the metrics", () => {
    expect(agent.ports).toEqual([{ name: "metrics", containerPort: config.httpPort }]);
    expect(agent.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "metrics" });
    expect(agent.livenessProbe.httpGet).toEqual({ path: "/healthz", port: "metrics" });
  });
});

describe("the permissions of the agent", () => {
  const rulesWith = (...components: string[]) => find(build(components), "ClusterRole").rules;
  const own = { apiGroups: [""], resources: ["nodes/pods", "nodes/configz"], verbs: ["get"] };
  const proxy = { apiGroups: [""], resources: ["nodes/proxy"], verbs: ["get"] };
  const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] };
  const events = { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] };
  const evictions = [
    { apiGroups: [""], resources: ["pods/eviction"], verbs: ["create"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["get", "patch", "watch"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
    events,
  ];

  test.each([
    { component: "kubelet-self-signed", more: [] },
    { component: "pod-monitor", more: [] },
    { component: "control-plane", more: [] },
    { component: "openshift-monitoring", more: [] },
    { component: "older-kubelets", more: [proxy] },
    { component: "api-server-pods", more: [pods] },
    { component: "eviction", more: evictions },
    { component: "eviction-dry-run", more: [events] },
  ])("at the API server are to read its pods, and what $component requires", ({ component, more }) => {
    expect(rulesWith()).toEqual([own]);
    expect(rulesWith(`components/${component}`)).toEqual([own, ...more]);
  });

  test("on the node are root's without capabilities, and without a way to gain one", () => {
    for (const objects of [base, everything]) {
      expect(podOf(objects).spec.containers).toHaveLength(1);
      expect(podOf(objects).spec).not.toContainAnyKeys([
        "initContainers",
        "securityContext",
        "hostNetwork",
        "hostPID",
        "hostIPC",
      ]);
      expect(podOf(objects).spec.containers[0].securityContext).toEqual({
        privileged: false,
        allowPrivilegeEscalation: false,
        runAsUser: 0,
        runAsGroup: 0,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
    }
  });

  test("on the node's files are the cgroups, and read-only mounts of components", () => {
    const hostPaths = (objects: KubernetesObject[]) =>
      podOf(objects).spec.volumes.flatMap(({ hostPath }: KubernetesObject) => hostPath ?? []);
    const cgroup = { path: "/sys/fs/cgroup", type: "Directory" };
    expect(hostPaths(base)).toEqual([cgroup]);
    expect(hostPaths(everything)).toEqual([
      cgroup,
      { path: "/var/lib/kubelet/pki/kubelet.crt", type: "File" },
      { path: "/var/run/nri", type: "DirectoryOrCreate" },
    ]);
    const mounts = podOf(everything).spec.containers[0].volumeMounts as {
      readOnly?: boolean;
      name: string;
    }[];
    expect(mounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name)).toEqual(["cgroup"]);
  });

  test("do not depend on its environment", () => {
    expect(agent.env.map(({ name }: { name: string }) => name)).toEqual([
      "NODE_NAME",
      "KUBELET_HOST",
      "POD_IP",
    ]);
    const ownUid = { name: "POD_UID", valueFrom: { fieldRef: { fieldPath: "metadata.uid" } } };
    for (const component of ["components/eviction", "components/eviction-dry-run"])
      expect(podOf(build([component])).spec.containers[0].env).toEqual([...agent.env, ownUid]);
    expect(agent).not.toHaveProperty("envFrom");
    expect(podOf(base).spec.enableServiceLinks).toBe(false);
  });
});

describe("the agent", () => {
  test("verifies the kubelet by exactly one certificate or CA", () => {
    const argsWith = (...components: string[]) => podOf(build(components)).spec.containers[0].args;
    const common = ["agent", "--config=/etc/wasp/config.yaml", "--http-address=$(POD_IP)"];
    const ca = "--kubelet-ca-file=/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    const certificate = "--kubelet-serving-certificate-file=/var/run/kubelet.crt";
    expect(argsWith()).toEqual([...common, ca]);
    expect(argsWith("components/kubelet-self-signed")).toEqual([...common, certificate]);
    const [nri] = podOf(build(["components/nri"])).spec.containers;
    expect(nri.args).toEqual([...common, ca, "--nri"]);
    // The agent's path of the socket must be in the mounted folder of the runtime.
    expect(NRI_SOCKET).toBe(`${nri.volumeMounts.at(-1).mountPath}/nri.sock`);
    // The order of components must not matter.
    const both = ["components/api-server-pods", "components/kubelet-self-signed"];
    expect(argsWith(...both)).toEqual([...common, certificate, "--pod-source=ApiServer"]);
    expect(argsWith(...both.reverse())).toEqual([...common, certificate, "--pod-source=ApiServer"]);
  });

  test.each([
    { node: "kubeadm's worker", roles: [], isWorker: true },
    { node: "kubeadm's control plane", roles: ["control-plane"], isWorker: false },
    { node: "the control plane before 1.24", roles: ["master"], isWorker: false },
    { node: "OpenShift's worker", roles: ["worker"], isWorker: true },
    { node: "OpenShift's infrastructure", roles: ["infra", "worker"], isWorker: true },
    { node: "OpenShift's control plane", roles: ["control-plane", "master"], isWorker: false },
    { node: "OpenShift's node of all roles", roles: ["control-plane", "master", "worker"], isWorker: true },
    { node: "a single node made a worker", roles: ["control-plane", "worker"], isWorker: true },
  ])(
    "runs on workers, and with components/control-plane on all Linux nodes: $node",
    ({ roles, isWorker }) => {
      const labels = (os: string) => [
        `kubernetes.io/os=${os}`,
        ...roles.map((role) => `node-role.kubernetes.io/${role}=`),
      ];
      const everywhere = podOf(build(["components/control-plane"]));
      expect(isScheduled(podOf(base), labels("linux"))).toBe(isWorker);
      expect(isScheduled(everywhere, labels("linux"))).toBe(true);
      for (const pod of [podOf(base), everywhere]) expect(isScheduled(pod, labels("windows"))).toBe(false);
    },
  );

  test("tolerates all taints, and is evicted last", () => {
    expect(podOf(base).spec).toMatchObject({
      tolerations: [{ operator: "Exists" }],
      priorityClassName: "system-node-critical",
    });
    expect(agent.resources.limits).toEqual({ memory: agent.resources.requests.memory });
  });
});

/** Returns true if the scheduler would place a pod on a node with these labels, each as KEY=VALUE. */
function isScheduled({ spec }: KubernetesObject, labels: readonly string[]): boolean {
  const isSelected = Object.entries(spec.nodeSelector).every(([key, value]) =>
    labels.includes(`${key}=${value}`),
  );
  if (spec.affinity === undefined) return isSelected;
  const { nodeSelectorTerms } = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
  const holds = ({ key, operator }: { key: string; operator: "Exists" | "DoesNotExist" }) =>
    labels.some((label) => label.startsWith(`${key}=`)) === (operator === "Exists");
  return isSelected && nodeSelectorTerms.some((term: KubernetesObject) => term.matchExpressions.every(holds));
}

describe("the check against schemas", () => {
  const daemonSet = () => structuredClone(find(base, "DaemonSet"));
  const broken: [string, (object: KubernetesObject) => void, string][] = [
    [
      "an unknown field",
      ({ spec }) => Object.assign(spec.template.spec, { hostPid: true }),
      "/spec/template/spec/hostPid: is unknown",
    ],
    ["a missing field", ({ spec }) => delete spec.selector, "/spec/selector: is missing"],
    [
      "a wrong type",
      ({ spec }) => Object.assign(spec.template.metadata.labels, { a: 1 }),
      "/spec/template/metadata/labels/a: is 1, not of type string",
    ],
    [
      "none of several types",
      ({ spec }) => Object.assign(spec.updateStrategy.rollingUpdate, { maxUnavailable: [] }),
      "/spec/updateStrategy/rollingUpdate/maxUnavailable: is none of what it may be",
    ],
    [
      "an unknown kind",
      (object) => Object.assign(object, { apiVersion: "apps/v2" }),
      "apps/v2 DaemonSet: is a kind without a schema",
    ],
  ];

  test.each(broken)("finds %s", (_, breakIt, complaint) => {
    const object = daemonSet();
    breakIt(object);
    expect(complaintsAbout(object)).toEqual([complaint]);
  });

  test("finds a value that is not allowed", () => {
    const monitor = structuredClone(find(everything, "PodMonitor"));
    monitor.spec.podMetricsEndpoints[0].relabelings[0].action = "Explode";
    monitor.spec.podMetricsEndpoints[0].interval = "soon";
    expect(complaintsAbout(monitor)).toEqual([
      '/spec/podMetricsEndpoints/0/relabelings/0/action: "Explode" is not allowed',
      '/spec/podMetricsEndpoints/0/interval: "soon" is not allowed',
    ]);
  });
});
