// The hook container of the agent's pod as runc runs it: the image's files read-only, root without a capability, and of
// a host the folders that the manifests mount, each by itself.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { type Arch, writeImage } from "../../build.ts";
import { buildOverlay, find, type KubernetesObject } from "../kustomize.ts";
import { WASP } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { requireHost } from "./container.ts";

setDefaultTimeout(60_000);

const folder = await mkdtemp(`${tmpdir()}/wasp-hook-pod-`);
const rootfs = `${folder}/rootfs`;

beforeAll(async () => {
  requireHost();
  await writeImage(WASP, `${folder}/image.tar`, process.arch as Arch, "0123456789ab");
  await $`mkdir ${folder}/layout ${rootfs} && tar --extract --file ${folder}/image.tar --directory ${folder}/layout`;
  const layers: string[] = [];
  for (const name of await readdir(`${folder}/layout/blobs/sha256`)) {
    const blob = `${folder}/layout/blobs/sha256/${name}`;
    if ((await $`tar --list --file ${blob}`.nothrow().quiet()).exitCode === 0) layers.push(blob);
  }
  expect(layers).toHaveLength(1);
  await $`tar --extract --file ${layers[0]} --directory ${rootfs}`;
});

afterAll(() => rm(folder, { recursive: true }));

/** Runs the hook container of an overlay's pods on a host, and tells how that ended. */
async function run(overlay: string, host: InstallHost): Promise<{ exitCode: number; output: string }> {
  const { initContainers, volumes } = find(buildOverlay(overlay), "DaemonSet").spec.template.spec;
  const [{ args, securityContext, volumeMounts }] = initContainers;
  const bundle = await mkdtemp(`${folder}/bundle-`);
  await $`runc spec --bundle ${bundle}`;
  const spec = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8"));
  const { capabilities, allowPrivilegeEscalation, runAsUser, runAsGroup, readOnlyRootFilesystem } =
    securityContext;
  expect(capabilities).toEqual({ drop: ["ALL"] });
  Object.assign(spec.process, {
    terminal: false,
    args: ["/usr/local/bin/wasp", ...args],
    capabilities: {},
    noNewPrivileges: !allowPrivilegeEscalation,
    user: { uid: runAsUser, gid: runAsGroup },
  });
  spec.root = { path: rootfs, readonly: readOnlyRootFilesystem };
  for (const { name, mountPath, readOnly } of volumeMounts) {
    const { hostPath } = volumes.find((volume: KubernetesObject) => volume.name === name);
    // As the kubelet makes those that may be missing.
    if (hostPath.type === "DirectoryOrCreate") await mkdir(host.root + hostPath.path, { recursive: true });
    const options = ["rbind", readOnly ? "ro" : "rw"];
    spec.mounts.push({ destination: mountPath, source: host.root + hostPath.path, type: "bind", options });
  }
  await writeFile(`${bundle}/config.json`, JSON.stringify(spec));
  const { exitCode, stdout, stderr } =
    await $`runc --root ${folder}/runc run --bundle ${bundle} wasp-hook-pod-${crypto.randomUUID()}`
      .nothrow()
      .quiet();
  return { exitCode, output: `${stdout}${stderr}` };
}

// All that is in a folder which CRI-O reads or where wasp keeps what it did.
const around = (host: InstallHost) =>
  Object.keys(host.listing()).filter((path) => /^\/(etc\/containers|usr\/local\/bin|var\/lib)\/./.test(path));

describe("the hook container of OpenShift's pods", () => {
  test.each([
    ["as it is now", '["/etc/containers/oci/hooks.d", "/run/containers/oci/hooks.d"]'],
    ["as it was", '["/etc/containers/oci/hooks.d", "/usr/share/containers/oci/hooks.d"]'],
  ])("installs the hook with hooks_dir %s, and takes it away", async (_, hooksDirs) => {
    using host = new InstallHost({ isBare: true });
    host.makeFolder("/usr/local/bin");
    host.write("/etc/crio/crio.conf.d/00-default", `[crio.runtime]\nhooks_dir = ${hooksDirs}\n`);
    const installation = await run("openshift", host);
    expect(installation).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("installed: 2 changes, read back and as planned\n"),
    });
    const folders = ["/etc/containers/oci", "/etc/containers/oci/hooks.d", "/var/lib/wasp"];
    const files = [
      "/etc/containers/oci/hooks.d/wasp-swap.json",
      "/usr/local/bin/wasp",
      "/var/lib/wasp/install.json",
    ];
    expect(around(host)).toEqual([...folders, ...files].sort());
    expect(readFileSync(`${host.root}/usr/local/bin/wasp`).equals(readFileSync(WASP))).toBe(true);
    expect((await run("openshift", host)).output).toContain("nothing to do");

    const removal = await run("openshift-removal", host);
    expect(removal).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\nuninstalled\n$/) });
    expect(around(host)).toEqual(folders);
    expect((await run("openshift-removal", host)).exitCode).toBe(0);
  });
});
