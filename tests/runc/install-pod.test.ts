// The pod that `wasp install --print kubernetes` has on each worker, as runc runs it: privileged, with nothing but wasp's
// image and a host's root. The host is a static shell, and a systemctl that writes down what it is told.
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, readFileSync, symlinkSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { find, type KubernetesObject } from "../manifests/kustomize.ts";
import { WASP, wasp } from "../node/binary.ts";
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

async function printPod(...flags: readonly string[]): Promise<KubernetesObject> {
  const { stdout } = await wasp(["install", "--print", "kubernetes", ...flags]);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS());
  return find(objects, "DaemonSet", "wasp-install").spec.template.spec;
}

/** Runs the installing container of a pod on a host. */
async function run(
  { initContainers, volumes, hostPID }: KubernetesObject,
  host: InstallHost,
): Promise<Ending> {
  const [{ args, securityContext, volumeMounts }] = initContainers;
  expect(securityContext.privileged).toBe(true);
  expect(volumes).toEqual([{ name: "host", hostPath: { path: "/", type: "Directory" } }]);
  return await image.run(args, (spec) => {
    const all = ["CAP_SYS_CHROOT", "CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER"];
    spec.process.capabilities = { bounding: all, effective: all, permitted: all };
    spec.root.readonly = securityContext.readOnlyRootFilesystem;
    if (hostPID)
      spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
    // A folder that is mounted with all that is mounted in it.
    for (const { mountPath } of volumeMounts)
      for (const [folder, source] of [
        ["", host.root],
        ["/proc", "/proc"],
        ["/dev", "/dev"],
      ])
        spec.mounts.push({ destination: mountPath + folder, source, type: "bind", options: ["rbind", "rw"] });
  });
}

function bootableHost(): InstallHost {
  const host = new InstallHost();
  for (const folder of ["/bin", "/dev"]) host.makeFolder(folder);
  copyFileSync("/bin/busybox", `${host.root}/bin/busybox`);
  symlinkSync("busybox", `${host.root}/bin/sh`);
  host.write("/usr/sbin/systemctl", '#!/bin/sh\necho "$*" >> /ran\n', 0o755);
  host.write(
    "/usr/lib/systemd/system/kubelet.service",
    "ExecStart=/usr/bin/kubelet --config-dir=/etc/kubelet.d\n",
  );
  return host;
}

describe("the pod that installs on workers", () => {
  test("does what wasp install does there, with the host's own programs, and again nothing", async () => {
    const pod = await printPod("--eviction-soft=2Gi");
    using host = bootableHost();
    expect(await run(pod, host)).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining("read back and as planned\n"),
    });
    expect(host.read("/etc/kubelet.d/50-wasp.conf")).toContain('memory.available: "2Gi"');
    expect(host.read("/usr/share/containers/oci/hooks.d/wasp-swap.json")).toContain('"/usr/local/bin/wasp"');
    expect(readFileSync(`${host.root}/usr/local/bin/wasp`).equals(readFileSync(WASP))).toBe(true);
    const ran = host.read("/ran");
    expect(ran).toContain("daemon-reload\n");
    expect((await run(pod, host)).output).toContain("nothing to do");
    expect(host.read("/ran")).toBe(ran);
    const [installer] = pod.initContainers;
    const args = ["uninstall", ...installer.args.slice(1, 2)];
    const removal = await run({ ...pod, initContainers: [{ ...installer, args }] }, host);
    expect(removal).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\nuninstalled\n$/) });
    expect(Object.keys(host.listing())).not.toContain("/usr/local/bin/wasp");
  });
});
