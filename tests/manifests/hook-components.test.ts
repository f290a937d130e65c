import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { version } from "../../package.json";
import { ROOT, WASP } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { build, buildOverlay, find, type KubernetesObject } from "./kustomize.ts";

const podOf = (objects: KubernetesObject[]) => find(objects, "DaemonSet").spec.template.spec;
const installing = podOf(build(["components/install-hook"]));
const removing = podOf(build(["components/install-hook", "components/remove-hook"]));
const [installer] = installing.initContainers;
const [agent] = installing.containers;

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

interface Volume {
  readonly name: string;
  readonly hostPath?: { readonly path: string };
}

/** Returns the host's folders that a pod's hook container mounts, each with its mount. */
function mountedIn({ initContainers, volumes }: KubernetesObject): [string, Mount][] {
  return (initContainers[0].volumeMounts as Mount[]).map((mount) => {
    const volume = (volumes as Volume[]).find(({ name }) => name === mount.name);
    return [volume?.hostPath?.path ?? "", mount];
  });
}

/** Runs the command of a pod's hook container on a test host instead of the container's mounts. */
function run({ initContainers }: KubernetesObject, host: InstallHost) {
  const [command, fsroot, ...flags] = initContainers[0].args;
  expect(fsroot).toBe("--fsroot=/host");
  return host.wasp(command, ...flags);
}

describe("the pod that installs the hook", () => {
  test("runs the agent's image, with no more privileges", () => {
    expect(installing.initContainers).toHaveLength(1);
    expect(installer.image).toBe(`localhost/wasp:${version}`);
    expect(installer.image).toBe(agent.image);
    expect(installer.imagePullPolicy).toBe(agent.imagePullPolicy);
    expect(installer.securityContext).toEqual(agent.securityContext);
    expect(installer.resources).toEqual(agent.resources);
  });

  test.each([
    ["by CRI-O's default", installing, "/usr/share/containers/oci/hooks.d"],
    ["on OpenShift", podOf(buildOverlay("openshift")), "/etc/containers/oci/hooks.d"],
  ])("mounts four folders at their own paths, and writes three: %s", (_, pod, hooks) => {
    const mounted = mountedIn(pod);
    expect(mounted.map(([path]) => path)).toEqual([hooks, "/usr/local/bin", "/var/lib/wasp", "/etc/crio"]);
    for (const [path, { mountPath }] of mounted) expect(mountPath).toBe(`/host${path}`);
    expect(mounted.filter(([, mount]) => mount.readOnly !== true).map(([path]) => path)).toEqual(
      mounted.slice(0, 3).map(([path]) => path),
    );
    expect(pod.containers[0].volumeMounts).not.toContainEqual(expect.objectContaining({ name: "hooks" }));
  });

  test.each([
    { name: "by CRI-O's default", crio: "[crio.runtime]\n", pod: installing, other: removing },
    {
      name: "on OpenShift",
      crio: '[crio.runtime]\nhooks_dir = ["/etc/containers/oci/hooks.d", "/run/containers/oci/hooks.d"]\n',
      pod: podOf(buildOverlay("openshift")),
      other: podOf(buildOverlay("openshift-removal")),
    },
  ])("installs the hook with only these folders, is idempotent, and removes it: $name", async (each) => {
    using host = new InstallHost({ isBare: true });
    const mounted = mountedIn(each.pod).map(([path]) => path);
    for (const folder of mounted) host.makeFolder(folder);
    host.write("/etc/crio/crio.conf.d/00-default", each.crio);
    const before = host.listing();

    expect(await run(each.pod, host)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(readFileSync(`${host.root}/usr/local/bin/wasp`).equals(readFileSync(WASP))).toBe(true);
    const definition = readFileSync(`${ROOT}/hooks.d/wasp-swap.json`, "utf8");
    expect(host.read(`${mounted[0]}/wasp-swap.json`)).toBe(definition);
    expect(host.ran).toEqual([]);
    const installed = host.listing();
    expect((await run(each.pod, host)).stdout).toContain("nothing to do");
    expect(host.listing()).toEqual(installed);

    const removal = await run(each.other, host);
    expect(removal).toMatchObject({ exitCode: 0, stderr: "" });
    expect(removal.stdout).toMatch(/removed .*wasp-swap\.json\n(.*\n)*removed \/usr\/local\/bin\/wasp\n/);
    expect((await run(each.other, host)).exitCode).toBe(0);
    // The mounted folder remains, empty.
    const { "/var/lib/wasp": state, ...rest } = before;
    expect(host.listing()).toMatchObject(rest);
    expect(Object.keys(host.listing()).filter((path) => path.startsWith("/var/lib/wasp/"))).toEqual([]);
    expect(state).toBe("755 folder");
  });
});
