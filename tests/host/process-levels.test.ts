import { afterEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { KubepodsContainer } from "../../src/host/kubepods.ts";
import { scanContainers } from "../../src/host/kubepods.ts";
import { KubepodsWatch } from "../../src/host/kubepods-watch.ts";
import { processChildOf } from "../../src/host/process-levels.ts";
import { containerIdOf, podUidOf } from "../node/kubepods-tree.ts";

let folder = "";
afterEach(() => {
  if (folder !== "") rmSync(folder, { recursive: true });
  folder = "";
});

/** Creates a scope with these children; an own process is in those with `true`. */
function scopeWith(children: Record<string, boolean>, own = ""): string {
  folder = mkdtempSync(`${tmpdir()}/wasp-levels-`);
  writeFileSync(`${folder}/cgroup.procs`, own);
  for (const [name, isPopulated] of Object.entries(children)) {
    mkdirSync(`${folder}/${name}`, { recursive: true });
    writeFileSync(`${folder}/${name}/cgroup.events`, `populated ${isPopulated ? 1 : 0}\nfrozen 0\n`);
  }
  return folder;
}

describe("the level below a scope at which a container runs", () => {
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`c${index}`, index === 0]));
  test.each<[string, Record<string, boolean>, string, number, string | undefined]>([
    ["none, as under runc", {}, "7\n", 1, undefined],
    ["crun's, before its process is there", { container: false }, "7\n", 1, "container"],
    ["crun's by the pod's annotation, whatever it is", { "my group": true }, "", 1, "my group"],
    ["that beside empty ones", { a: false, b: true, c: false }, "", 1, "b"],
    ["none while the process is in the scope", { a: true }, "7\n", 1, undefined],
    ["none while no process is anywhere", { a: false }, "", 1, undefined],
    [
      "none for a workload in several of its own",
      { "init.scope": true, "system.slice": true },
      "",
      1,
      undefined,
    ],
    ["none for a workload with many of its own", many, "", 1, undefined],
    ["a second one", { x: true }, "", 2, "x"],
    ["no second one by its name", { container: false }, "7\n", 2, undefined],
    ["no third one", { x: true }, "", 3, undefined],
  ])("is %s", (_, children, own, depth, name) => {
    expect(processChildOf(scopeWith(children, own), depth)).toBe(name as string);
  });

  test("is none where the kernel does not say where processes are", () => {
    const scope = scopeWith({ a: true });
    rmSync(`${scope}/cgroup.procs`);
    expect(processChildOf(scope, 1)).toBeUndefined();
    expect(processChildOf(`${scope}/gone`, 1)).toBeUndefined();
  });
});

const MOUNTS = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
const mount = MOUNTS.find((candidate) => existsSync(`${candidate}/cgroup.controllers`));

describe.skipIf(mount === undefined || process.getuid?.() !== 0)("with the host's own cgroup v2", () => {
  test("a container is followed to the cgroup that its process moves to", async () => {
    const top = mkdtempSync(`${mount}/wasp-test-`);
    const path = `${top.slice(mount?.length)}/kubepods`;
    const scope = `${top}/kubepods/burstable/pod${podUidOf(1)}/${containerIdOf(1)}`;
    const levels = ["", "/any name", "/any name/deeper"].map((level) => scope + level);
    const kubepods = { version: 2, mount: mount ?? "", path } as const;
    mkdirSync(scope, { recursive: true });
    const sleeper = Bun.spawn(["/bin/sleep", "600"]);
    let known: KubepodsContainer | undefined;
    const watch = new KubepodsWatch(kubepods, {
      onContainer: (container) => {
        known = container;
      },
      onGone: () => {},
      onLimitWritten: () => {},
      onSharedLimitWritten: () => {},
      onError: (error) => expect(error).toBeUndefined(),
    });
    try {
      const own = () => known?.cgroup.own;
      writeFileSync(`${scope}/cgroup.procs`, String(sleeper.pid));
      expect(own()).toEqual([scope]);
      for (const depth of [1, 2]) {
        mkdirSync(levels[depth] ?? "");
        expect(own()).toHaveLength(depth);
        writeFileSync(`${levels[depth]}/cgroup.procs`, String(sleeper.pid));
        while (own()?.length !== depth + 1) await Bun.sleep(5);
        expect(own()).toEqual(levels.slice(0, depth + 1).reverse());
        expect(scanContainers(kubepods)[0]?.cgroup.own).toEqual(own() ?? []);
      }
      expect(readFileSync(`${levels[2]}/cgroup.procs`, "utf8").trim()).toBe(String(sleeper.pid));
    } finally {
      watch.close();
      sleeper.kill();
      await sleeper.exited;
      for (const level of levels.toReversed()) if (existsSync(level)) rmdirSync(level);
      for (let level = scope; level !== mount; ) {
        if (existsSync(level)) rmdirSync(level);
        level = level.slice(0, level.lastIndexOf("/"));
      }
    }
  });
});
