import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { wasp } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { buildOverlay, COMPONENTS, filesOf, find, type KubernetesObject, MANIFESTS } from "./kustomize.ts";
import { complaintsAbout } from "./openapi.ts";

const OVERLAYS = ["openshift", "openshift-removal"];
const overlay = buildOverlay("openshift");
const { metadata: podMetadata, spec: pod } = find(overlay, "DaemonSet").spec.template;
const containers: KubernetesObject[] = [...pod.initContainers, ...pod.containers];
// Programs that a host with any kind of swap has.
const PROGRAMS = ["blkid", "cryptsetup", "fallocate", "mkswap", "modprobe", "swapon", "wipefs"];
const nodes = readFileSync(`${MANIFESTS}/openshift/nodes.yaml`, "utf8");

const objectsIn = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).map((document) => document.toJS());

async function print(...flags: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await wasp(["install", "--print", "openshift", ...flags]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
}

/** Returns the files by path, and the links of the enabled units, that a MachineConfig creates on a machine. */
function machineOf({ spec }: KubernetesObject) {
  const { storage = { files: [] }, systemd } = spec.config;
  const files: Record<string, string> = {};
  for (const { path, mode, contents } of storage.files) {
    expect(mode).toBe(0o644);
    const [, base64 = ""] = /^data:text\/plain;charset=utf-8;base64,(.*)$/.exec(contents.source) ?? [];
    files[path] = Buffer.from(base64, "base64").toString();
  }
  const links: string[] = [];
  for (const { name, contents, enabled, dropins = [] } of systemd.units) {
    if (contents !== undefined) files[`/etc/systemd/system/${name}`] = contents;
    for (const dropin of dropins) files[`/etc/systemd/system/${name}.d/${dropin.name}`] = dropin.contents;
    const target = /^WantedBy=(.*)$/m.exec(contents ?? "")?.[1];
    expect(enabled === true).toBe(target !== undefined);
    if (target !== undefined) links.push(`/etc/systemd/system/${target}.wants/${name}`);
  }
  return { files, links };
}

describe("nodes.yaml for OpenShift's workers", () => {
  test("is the output of wasp install --print", async () => {
    const [first = ""] = nodes.split("\n");
    expect(first).toBe("# Printed by: wasp install --print openshift --overcommit 150%");
    expect(await print("--overcommit", "150%")).toBe(nodes);
  });

  test.each([
    ["a file, sized by --overcommit", ["--overcommit", "150%"]],
    [
      "a file with a path, a size and a priority",
      ["--swap-file", "/var/swap/a", "--swap-size", "8Gi", "--swap-priority", "7"],
    ],
    ["a device", ["--swap-device", "/dev/disk/by-partlabel/swap"]],
    ["an encrypted device", ["--swap-device", "/dev/disk/by-path/pci-1", "--encrypt"]],
    ["compressed memory", ["--zram", "--swap-size", "4Gi"]],
  ])("has the same files and links as wasp install on a host: %s", async (_, flags) => {
    using host = new InstallHost();
    for (const program of PROGRAMS) host.write(`/usr/sbin/${program}`, "", 0o755);
    const only = ["swap", "system-slice"].flatMap((part) => ["--only", part]);
    const before = new Set(Object.keys(host.listing()));
    expect(await host.waspImage("install", ...flags, ...only)).toMatchObject({ exitCode: 0, stderr: "" });
    const made = Object.entries(host.listing()).filter(
      ([path, what]) => !before.has(path) && !what.endsWith("folder") && !path.startsWith("/var/lib/wasp"),
    );

    const objects = objectsIn(await print(...flags));
    const machines = objects.filter(({ spec }) => spec.config).map(machineOf);
    const files: Record<string, string> = Object.assign({}, ...machines.map((machine) => machine.files));
    const links = machines.flatMap((machine) => machine.links);
    expect([...Object.keys(files), ...links].sort()).toEqual(made.map(([path]) => path).sort());
    for (const [path, text] of Object.entries(files)) expect(text).toBe(host.read(path));
    for (const [path, what] of made.filter(([path]) => links.includes(path)))
      expect(what).toBe(`-> /etc/systemd/system/${basename(path)}`);
  });

  test.each([[], ["--eviction-soft", "2Gi"], ["--eviction-soft", "Off"]])(
    "configures kubelets as wasp install does: %j",
    async (...flags: string[]) => {
      using host = new InstallHost();
      host.write(
        "/etc/systemd/system/kubelet.service",
        "[Service]\nExecStart=/usr/bin/kubelet --config-dir=/etc/kubelet.d\n",
      );
      await host.waspImage("install", "--only", "kubelet", ...flags);
      const { apiVersion, kind, ...settings } = parse(host.read("/etc/kubelet.d/50-wasp.conf"));
      const printed = find(objectsIn(await print("--zram", "--swap-size", "4Gi", ...flags)), "KubeletConfig");
      expect(printed.spec.kubeletConfig).toEqual(settings);
      expect(settings).toMatchObject({ failSwapOn: false });
    },
  );

  test("applies to workers, and turns PSI on", () => {
    const objects = objectsIn(nodes);
    const [kubelet, ...machines] = objects;
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "KubeletConfig wasp",
      "MachineConfig 90-worker-wasp-swap",
      "MachineConfig 90-worker-wasp-system-slice",
      "MachineConfig 90-worker-wasp-psi",
    ]);
    expect(kubelet.spec.machineConfigPoolSelector).toEqual({
      matchLabels: { "pools.operator.machineconfiguration.openshift.io/worker": "" },
    });
    for (const { metadata } of machines)
      expect(metadata.labels).toEqual({ "machineconfiguration.openshift.io/role": "worker" });
    expect(machines.flatMap(({ spec }) => spec.kernelArguments ?? [])).toEqual(["psi=1"]);
  });

  test("writes nothing below /usr, which is read-only", () => {
    const paths = objectsIn(nodes).flatMap(({ spec }) =>
      spec.config === undefined ? [] : Object.keys(machineOf({ spec }).files),
    );
    expect(paths.filter((path) => !path.startsWith("/etc/"))).toEqual([]);
  });

  test("overcommits virtual machines by the same percentage as the nodes", () => {
    const patch = parse(readFileSync(`${MANIFESTS}/openshift/hyperconverged-patch.yaml`, "utf8"));
    expect(patch).toEqual({ spec: { higherWorkloadDensity: { memoryOvercommitPercentage: 150 } } });
    const other = parse(readFileSync(`${MANIFESTS}/openshift/hyperconverged-jsonpatch.yaml`, "utf8"));
    const [change, ...more] = JSON.parse(other.metadata.annotations["kubevirt.kubevirt.io/jsonpatch"]);
    expect(more).toEqual([]);
    expect(change.value).toBe(patch.spec.higherWorkloadDensity.memoryOvercommitPercentage);
  });

  test.each([
    [[], "how large is the swap to be? say --overcommit 150% or --swap-size 8Gi"],
    [["--zram"], "how large is the swap to be?"],
    [
      ["--swap-size", "8Gi", "--swap-file", "/srv/swap"],
      "/srv/swap: the files of OpenShift's nodes are below /var",
    ],
    [["--swap-device", "/dev/sdb"], "/dev/sdb is another disk, or none, on other nodes"],
    [
      ["--swap-device", "/dev/disk/by-id/nvme-1"],
      "/dev/disk/by-id/nvme-1 is another disk, or none, on other nodes: name it as all of them have it, below /dev/disk/by-path",
    ],
    [
      ["--swap-device", "/dev/disk/by-path/a", "--overcommit", "150%"],
      "leave --swap-size and --overcommit out",
    ],
    [
      ["--overcommit", "150%", "--dry-run", "--ssh", "a", "--only", "swap"],
      "leave --dry-run, --ssh, --only out",
    ],
  ])("refuses flags that cannot apply to all nodes: %j", async (flags, complaint) => {
    const { exitCode, stdout, stderr } = await wasp(["install", "--print", "openshift", ...flags]);
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toContain(complaint);
  });
});

describe("the agents on OpenShift", () => {
  test.each(OVERLAYS)("are valid: %s", (folder) => {
    const objects = buildOverlay(folder);
    expect(objects.length).toBeGreaterThan(10);
    expect([...objects, ...objectsIn(nodes)].flatMap(complaintsAbout)).toEqual([]);
  });

  test("use every file of their folders, except those for nodes and virtual machines", () => {
    const others = ["nodes.yaml", "hyperconverged-patch.yaml", "hyperconverged-jsonpatch.yaml"];
    expect(readdirSync(`${MANIFESTS}/openshift`).sort()).toEqual(
      ["kustomization.yaml", ...filesOf("openshift"), ...others].sort(),
    );
    expect(readdirSync(`${MANIFESTS}/openshift-removal`)).toEqual(["kustomization.yaml"]);
  });

  test("have security context constraints that allow exactly their pods", () => {
    const every = <Value>(read: (container: KubernetesObject) => Value): Value => {
      const [value, ...others] = containers.map(read);
      for (const other of others) expect(other).toEqual(value as Value);
      return value as Value;
    };
    const security = every(({ securityContext }) => securityContext);
    const volumes: string[] = pod.volumes.map((volume: KubernetesObject) =>
      Object.keys(volume).find((field) => field !== "name"),
    );
    const { apiVersion, kind, metadata, ...scc } = find(overlay, "SecurityContextConstraints", "wasp-node");
    const ownGroup = { type: "MustRunAs", ranges: [{ min: security.runAsGroup, max: security.runAsGroup }] };
    expect(scc).toEqual({
      allowHostDirVolumePlugin: volumes.includes("hostPath"),
      // The service account's token, which every pod has.
      volumes: [...new Set([...volumes, "projected"])].sort(),
      allowHostIPC: pod.hostIPC ?? false,
      allowHostNetwork: pod.hostNetwork ?? false,
      allowHostPID: pod.hostPID ?? false,
      allowHostPorts: containers.some(({ ports = [] }) =>
        ports.some(({ hostPort }: KubernetesObject) => hostPort),
      ),
      allowPrivilegedContainer: security.privileged,
      allowPrivilegeEscalation: security.allowPrivilegeEscalation,
      allowedCapabilities: security.capabilities.add ?? null,
      defaultAddCapabilities: null,
      requiredDropCapabilities: security.capabilities.drop,
      readOnlyRootFilesystem: security.readOnlyRootFilesystem,
      runAsUser: { type: "MustRunAs", uid: security.runAsUser },
      fsGroup: ownGroup,
      supplementalGroups: ownGroup,
      seLinuxContext: { type: "MustRunAs", seLinuxOptions: pod.securityContext.seLinuxOptions },
      seccompProfiles: [{ RuntimeDefault: "runtime/default" }[security.seccompProfile.type as string]],
      priority: null,
      users: [],
      groups: [],
    });
    expect(pod.securityContext).toContainAllKeys(["seLinuxOptions"]);
  });

  test("require these constraints by name, which no other account may use", () => {
    const { name } = find(overlay, "SecurityContextConstraints", "wasp-node").metadata;
    expect(podMetadata.annotations).toEqual({ "openshift.io/required-scc": name });
    expect(find(overlay, "Role", "wasp-scc").rules).toEqual([
      {
        apiGroups: ["security.openshift.io"],
        resources: ["securitycontextconstraints"],
        resourceNames: [name],
        verbs: ["use"],
      },
    ]);
    const { roleRef, subjects } = find(overlay, "RoleBinding", "wasp-scc");
    expect(roleRef).toMatchObject({ kind: "Role", name: "wasp-scc" });
    expect(subjects).toEqual([{ kind: "ServiceAccount", name: pod.serviceAccountName, namespace: "wasp" }]);
  });

  test("use existing components, and label their namespace", () => {
    const { components } = parse(readFileSync(`${MANIFESTS}/openshift/kustomization.yaml`, "utf8"));
    expect(components.map((path: string) => path.replace("../", ""))).toEqual(
      expect.arrayContaining(["components/api-server-pods", "components/openshift-monitoring"]),
    );
    expect(COMPONENTS).toEqual(
      expect.arrayContaining(components.map((path: string) => path.replace("../", ""))),
    );
    const { labels, annotations } = find(overlay, "Namespace").metadata;
    expect(annotations).toEqual({ "openshift.io/node-selector": "" });
    expect(labels).toEqual({
      "app.kubernetes.io/name": "wasp",
      "openshift.io/cluster-monitoring": "true",
      "pod-security.kubernetes.io/enforce": "privileged",
      "pod-security.kubernetes.io/audit": "privileged",
      "pod-security.kubernetes.io/warn": "privileged",
      "security.openshift.io/scc.podSecurityLabelSync": "false",
    });
  });
});
