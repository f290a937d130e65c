// The hook container of the agent's pod as runc runs it: the image's files read-only, root without a capability, and of
// a host the folders that the manifests mount, each by itself.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { buildOverlay, find, type KubernetesObject } from "../manifests/kustomize.ts";
import { WASP } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { patience } from "../patience.ts";
import { requireHost } from "./container.ts";
import { type Ending, UnpackedImage } from "./image-container.ts";

setDefaultTimeout(patience(60));

let image: UnpackedImage;

beforeAll(async () => {
  requireHost();
  image = await UnpackedImage.make();
});

afterAll(() => image[Symbol.asyncDispose]());

/** Runs the hook container of an overlay's pods on a host, and returns its exit. */
async function run(overlay: string, host: InstallHost): Promise<Ending> {
  const { initContainers, volumes } = find(buildOverlay(overlay), "DaemonSet").spec.template.spec;
  const [{ args, securityContext, volumeMounts }] = initContainers;
  const { capabilities, allowPrivilegeEscalation, runAsUser, runAsGroup, readOnlyRootFilesystem } =
    securityContext;
  expect(capabilities).toEqual({ drop: ["ALL"] });
  return await image.run(args, (spec) => {
    Object.assign(spec.process, {
      capabilities: {},
      noNewPrivileges: !allowPrivilegeEscalation,
      user: { uid: runAsUser, gid: runAsGroup },
    });
    spec.root.readonly = readOnlyRootFilesystem;
    for (const { name, mountPath, readOnly } of volumeMounts) {
      const { hostPath } = volumes.find((volume: KubernetesObject) => volume.name === name);
      // As the kubelet makes those that may be missing.
      if (hostPath.type === "DirectoryOrCreate") host.makeFolder(hostPath.path);
      const options = ["rbind", readOnly ? "ro" : "rw"];
      spec.mounts.push({ destination: mountPath, source: host.root + hostPath.path, type: "bind", options });
    }
  });
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
