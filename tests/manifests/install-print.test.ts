import { describe, expect, test } from "bun:test";
import { parseAllDocuments } from "yaml";
import { version } from "../../package.json";
import { wasp } from "../node/binary.ts";
import { build, find, type KubernetesObject } from "./kustomize.ts";
import { complaintsAbout } from "./openapi.ts";

async function print(...flags: readonly string[]): Promise<KubernetesObject[]> {
  const { exitCode, stdout, stderr } = await wasp(["install", "--print", "kubernetes", ...flags]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toStartWith(`# Printed by: wasp install --print kubernetes ${flags.join(" ")}\n`);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

const podOf = (objects: KubernetesObject[]) => find(objects, "DaemonSet", "wasp-install").spec.template.spec;
const base = build();

describe("wasp install --print kubernetes", () => {
  test("prints valid objects, for the same nodes as the agents'", async () => {
    const objects = await print("--overcommit", "150%");
    expect(objects.map(({ kind }) => kind)).toEqual(["Namespace", "DaemonSet"]);
    expect(objects.flatMap(complaintsAbout)).toEqual([]);
    expect(find(objects, "Namespace")).toEqual(find(base, "Namespace"));
    const { nodeSelector, affinity, tolerations } = podOf(objects);
    const agents = find(base, "DaemonSet").spec.template.spec;
    expect({ nodeSelector, affinity, tolerations }).toEqual({
      nodeSelector: agents.nodeSelector,
      affinity: agents.affinity,
      tolerations: agents.tolerations,
    });
  });

  test("prints pods that the agents' selector does not match", async () => {
    const installer = find(await print("--zram", "--swap-size=4Gi"), "DaemonSet", "wasp-install");
    const { matchLabels } = installer.spec.selector;
    expect(installer.spec.template.metadata.labels).toEqual(matchLabels);
    expect(matchLabels).not.toEqual(find(base, "DaemonSet").spec.selector.matchLabels);
  });

  test.each([
    [
      ["--overcommit", "150%"],
      ["--overcommit", "150%"],
    ],
    [["--swap-size=8Gi", "--eviction-soft", "Off", "--skip", "hook"], undefined],
    [["--swap-device", "/dev/disk/by-partlabel/swap", "--encrypt", "--ignore-kubelet"], undefined],
    [["--image", "registry.example/wasp:1", "--overcommit=200%"], ["--overcommit=200%"]],
  ])("runs wasp install in the pods with the same flags: %j", async (flags, passedOn = flags) => {
    const [installer] = podOf(await print(...flags)).initContainers;
    expect(installer.args).toEqual(["install", "--chroot=/host", ...passedOn]);
    const image = flags[0] === "--image" ? flags[1] : `localhost/wasp:${version}`;
    expect(installer.image).toBe(image);
  });

  test.each([
    [["--swap-device", "/dev/sdb"], "/dev/sdb is another disk, or none, on other nodes"],
    [["--overcommit", "150%", "--restart", "--fsroot", "/a"], "leave --restart, --fsroot out"],
    [["--overcommit", "150%", "--ssh", "a"], "leave --ssh out"],
  ])("refuses flags that cannot apply to all nodes: %j", async (flags, complaint) => {
    const { exitCode, stdout, stderr } = await wasp(["install", "--print", "kubernetes", ...flags]);
    expect(exitCode).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toContain(complaint);
  });

  test("is alone in supporting --image", async () => {
    const { exitCode, stderr } = await wasp(["install", "--image", "a"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("it is for --print kubernetes")]);
    const other = await wasp(["install", "--print", "openshift", "--overcommit", "150%", "--image", "a"]);
    expect([other.exitCode, other.stderr]).toEqual([2, expect.stringContaining("leave --image out")]);
  });
});
