/** wasp install from inside of a pod, as `wasp install --print kubernetes` runs it on each worker. */
import { beforeAll, expect, test } from "bun:test";
import { parseAllDocuments } from "yaml";
import { find, type KubernetesObject } from "../manifests/kustomize.ts";
import { wasp } from "../node/binary.ts";
import { loadImage } from "./agent-image.ts";
import { listing } from "./fresh-host.ts";
import { type Outcome, quote } from "./guest.ts";
import { startNode } from "./node.ts";

const guest = await startNode();
const SWAP_FILE = "/srv/wasp/swapfile";

let pod: KubernetesObject;
let before: string;

beforeAll(async () => {
  await loadImage(guest);
  // The snapshot's wasp and hook are in no journal.
  before = await listing(guest);
  const flags = ["--print", "kubernetes", "--swap-file", SWAP_FILE, "--swap-size", "64Mi"];
  const { stdout } = await wasp(["install", ...flags]);
  const objects = parseAllDocuments(stdout).map((document) => document.toJS());
  pod = find(objects, "DaemonSet", "wasp-install").spec.template.spec;
});

/** Runs the pod's init container with the settings of its manifest, and waits for its end. */
async function runInstaller(): Promise<Outcome> {
  const [{ image, args, securityContext, volumeMounts }] = pod.initContainers;
  expect(securityContext).toMatchObject({ privileged: true, readOnlyRootFilesystem: true });
  const mounts = volumeMounts.map(({ name, mountPath }: { name: string; mountPath: string }) => {
    const { hostPath } = pod.volumes.find((volume: { name: string }) => volume.name === name);
    return `--volume=${hostPath.path}:${mountPath}:rslave`;
  });
  expect(pod.hostPID).toBe(true);
  const command = [
    "podman",
    "run",
    "--rm",
    "--privileged",
    "--pid=host",
    "--network=host",
    "--read-only",
    ...mounts,
    image,
    ...args,
  ];
  return await guest.run(command.map(quote).join(" "));
}

test("a pod installs on its node, a second one changes nothing, and the node's own wasp uninstalls", async () => {
  expect(await runInstaller()).toMatchObject({ code: 0, stderr: "" });
  expect(await guest.must(`swapon --noheadings --show=NAME | grep ${SWAP_FILE}`)).toBe(`${SWAP_FILE}\n`);
  expect(
    await guest.must("systemctl is-active wasp-swap.service; systemctl list-units --failed --no-legend"),
  ).toBe("active\n");
  expect(await guest.must("cat /sys/fs/cgroup/system.slice/memory.swap.max")).toBe("0\n");
  const again = await runInstaller();
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(again.stdout).toContain("nothing to do");

  expect(await guest.run("wasp uninstall")).toMatchObject({ code: 0, stderr: "" });
  expect(await guest.run(`swapon --noheadings --show=NAME | grep ${SWAP_FILE}`)).toMatchObject({ code: 1 });
  expect(await listing(guest)).toBe(before);
});
