import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  findKubepods,
  type Kubepods,
  type KubepodsContainer,
  scanContainers,
} from "../../src/host/kubepods.ts";
import { KubepodsWatch } from "../../src/host/kubepods-watch.ts";
import {
  containerIdOf,
  kubepodsPath,
  type Layout,
  makeCgroup,
  podPath,
  podUidOf,
} from "../node/kubepods-tree.ts";
import { patience } from "../patience.ts";

setDefaultTimeout(patience(30));

// The host's own v1 hierarchy, if it is writable; a directory on every host.
const HOST = "/sys/fs/cgroup/memory";
const isHostUsable = existsSync(`${HOST}/memory.memsw.limit_in_bytes`) && process.getuid?.() === 0;
const grounds = isHostUsable ? (["a folder", "the host's cgroups"] as const) : (["a folder"] as const);

const inUse = new Set<Ground>();

// A test that has timed out disposes of nothing.
afterEach(() => {
  for (const ground of inUse) ground[Symbol.dispose]();
});

/** Kubepods cgroup for a test, and the reports of a watch on it. */
class Ground implements Disposable {
  readonly layout: Layout;
  readonly kubepods: Kubepods;
  readonly reported: string[] = [];
  /** Existing containers by id, according to the reports. */
  readonly known = new Map<string, KubepodsContainer>();
  readonly watch: KubepodsWatch;
  readonly #top: string;
  #wake = () => {};

  constructor(kind: (typeof grounds)[number], prepare: (ground: Ground) => void = () => {}) {
    const isHost = kind === "the host's cgroups";
    const folder = mkdtempSync(isHost ? `${HOST}/wasp-test-` : `${tmpdir()}/wasp-test-`);
    this.#top = folder;
    this.layout = { driver: "cgroupfs", cgroupRoot: isHost ? [folder.slice(HOST.length + 1)] : [] };
    const mount = isHost ? HOST : `${folder}/sys/fs/cgroup/memory`;
    makeCgroup(mount, kubepodsPath(this.layout));
    const found = findKubepods(isHost ? "" : folder);
    const kubepods = found.find(({ path }) => path === kubepodsPath(this.layout));
    if (kubepods === undefined) throw new Error(`no kubepods cgroup in ${folder}`);
    this.kubepods = kubepods;
    prepare(this);
    inUse.add(this);
    this.watch = new KubepodsWatch(kubepods, {
      onContainer: (container) => {
        this.known.set(container.containerId, container);
        this.#report(`container ${shortened(container.containerId)}`);
      },
      onGone: (containerId) => {
        this.known.delete(containerId);
        this.#report(`gone ${shortened(containerId)}`);
      },
      onLimitWritten: ({ containerId }) => this.#report(`limit ${shortened(containerId)}`),
      onSharedLimitWritten: () => this.#report("shared limit"),
      onError: (error) => this.#report(`error ${error.message}`),
    });
  }

  #report(line: string): void {
    this.reported.push(line);
    this.#wake();
  }

  /** Waits for a condition, which is checked after each report; ends with the test's own timeout. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** Waits until everything so far has been reported: a container of its own comes last. */
  async reportsDone(): Promise<void> {
    const path = `${this.pod(999)}/${containerIdOf(999)}`;
    this.make(path);
    await this.until(() => this.known.has(containerIdOf(999)));
    this.remove(this.pod(999));
    await this.until(() => !this.known.has(containerIdOf(999)));
  }

  pod(number: number): string {
    return podPath(this.layout, number % 2 === 0 ? "Guaranteed" : "Burstable", podUidOf(number));
  }

  container(number: number): string {
    return `${this.pod(number % 4)}/${containerIdOf(number)}`;
  }

  make(path: string): void {
    makeCgroup(this.kubepods.mount, path);
  }

  remove(path: string): void {
    removeCgroup(this.kubepods.mount + path);
  }

  writeLimit(path: string): void {
    const file = `${this.kubepods.mount}${path}/memory.memsw.limit_in_bytes`;
    const { exitCode } = Bun.spawnSync(["sh", "-c", `echo -1 > ${file}`]);
    if (exitCode !== 0) throw new Error(`cannot write ${file}`);
  }

  [Symbol.dispose](): void {
    inUse.delete(this);
    this.watch.close();
    removeCgroup(this.#top);
  }
}

function shortened(containerId: string): string {
  return containerId.replace(/^0+/, "");
}

/** Removes a directory from below, as cgroups are removed, with its files if they are not the kernel's. */
function removeCgroup(directory: string): void {
  if (!existsSync(directory)) return;
  if (!directory.startsWith(HOST)) {
    rmSync(directory, { recursive: true });
    return;
  }
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(directory, entry.name));
  rmdirSync(directory);
}

/** Returns the number of inotify watches of this process. */
function watchCount(): number {
  const infos = readdirSync("/proc/self/fdinfo").map((fd) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    } catch {
      return "";
    }
  });
  return infos.join("").match(/^inotify wd:/gm)?.length ?? 0;
}

describe.each([...grounds])("in %s", (kind) => {
  test("existing containers are reported at once", () => {
    using ground = new Ground(kind, (empty) => {
      for (const number of [1, 2, 3]) empty.make(empty.container(number));
    });
    expect(ground.reported.sort()).toEqual(["container 1", "container 2", "container 3"]);
    expect([...ground.known.values()]).toEqual(scanContainers(ground.kubepods));
  });

  test("a new container is reported, and its end too", async () => {
    using ground = new Ground(kind);
    ground.make(ground.container(1));
    await ground.until(() => ground.reported.length === 1);
    ground.remove(ground.pod(1));
    await ground.until(() => ground.reported.length === 2);
    expect(ground.reported).toEqual(["container 1", "gone 1"]);
  });

  test("each of many new containers is reported, without a scan in between", async () => {
    using ground = new Ground(kind);
    for (let number = 1; number <= 21; number++) {
      ground.make(ground.container(number));
      await ground.until(() => ground.known.size === number);
    }
    expect(ground.reported).toHaveLength(21);
  });

  test("a pod's monitors and other cgroups are not reported", async () => {
    using ground = new Ground(kind);
    ground.make(`${ground.pod(1)}/crio-conmon-${containerIdOf(1)}`);
    ground.make(`${kubepodsPath(ground.layout)}/system`);
    await ground.reportsDone();
    expect(ground.reported).toEqual(["container 3e7", "gone 3e7"]);
  });

  test("a container is reported again when its lower level is created, and when it is removed", async () => {
    using ground = new Ground(kind);
    const path = ground.container(1);
    const scope = ground.kubepods.mount + path;
    ground.make(path);
    await ground.until(() => ground.reported.length === 1);
    ground.make(`${path}/container`);
    await ground.until(() => ground.reported.length === 2);
    expect(ground.known.get(containerIdOf(1))?.cgroup.own).toEqual([`${scope}/container`, scope]);
    ground.make(`${path}/container/init.scope`);
    ground.remove(`${path}/container`);
    await ground.until(() => ground.reported.length === 3);
    expect(ground.known.get(containerIdOf(1))?.cgroup.own).toEqual([scope]);
    expect(new Set(ground.reported)).toEqual(new Set(["container 1"]));
  });

  test("a limit that another process writes is reported, at both levels", async () => {
    using ground = new Ground(kind);
    const path = ground.container(1);
    ground.make(`${path}/container`);
    await ground.until(() => ground.known.get(containerIdOf(1))?.cgroup.own.length === 2);
    ground.writeLimit(ground.pod(1));
    await ground.reportsDone();
    expect(ground.reported).not.toContain("limit 1");
    for (const level of [path, `${path}/container`]) {
      ground.reported.length = 0;
      ground.writeLimit(level);
      await ground.until(() => ground.reported.includes("limit 1"));
    }
  });

  test("a container with the name of an earlier one is followed", async () => {
    using ground = new Ground(kind);
    const path = ground.container(1);
    for (let round = 0; round < 5; round++) {
      ground.reported.length = 0;
      ground.make(path);
      await ground.until(() => ground.reported.length === 1);
      ground.remove(path);
      ground.make(path);
      await ground.until(() => ground.reported.length === 3);
      expect(ground.reported).toEqual(["container 1", "gone 1", "container 1"]);
      ground.writeLimit(path);
      await ground.until(() => ground.reported.includes("limit 1"));
      ground.remove(path);
      await ground.until(() => ground.known.size === 0);
    }
  });

  test("a container that is removed right after its creation is not kept", async () => {
    using ground = new Ground(kind);
    for (let round = 0; round < 20; round++) {
      ground.make(ground.container(1));
      await ground.until(() => ground.known.size === 1);
      ground.remove(ground.container(1));
      await ground.until(() => ground.known.size === 0);
    }
  });

  test("close ends every watch", async () => {
    const before = watchCount();
    using ground = new Ground(kind, (empty) => empty.make(empty.container(1)));
    expect(watchCount()).toBe(before + 4);
    ground.make(ground.container(2));
    await ground.until(() => ground.known.size === 2);
    ground.remove(ground.container(2));
    await ground.until(() => ground.known.size === 1);
    // The kubepods cgroup, the QoS class, two pods and a container.
    expect(watchCount()).toBe(before + 5);
    ground.watch.close();
    expect(watchCount()).toBe(before);
  });

  test("after any creations and removals, the reported containers are the existing ones", async () => {
    const number = fc.integer({ min: 0, max: 11 });
    const step = fc.oneof(
      fc.record({ make: fc.constant(true), what: fc.constantFrom("container", "child"), number }),
      fc.record({
        make: fc.constant(false),
        what: fc.constantFrom("container", "child", "pod", "qos"),
        number,
      }),
    );
    const pause = fc.boolean();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, pause), { minLength: 5, maxLength: 40 }), async (steps) => {
        using ground = new Ground(kind);
        for (const [{ make, what, number }, isPaused] of steps) {
          const path = {
            container: ground.container(number),
            child: `${ground.container(number)}/container`,
            pod: ground.pod(number % 4),
            qos: `${kubepodsPath(ground.layout)}/burstable`,
          }[what];
          if (make) ground.make(path ?? "");
          else ground.remove(path ?? "");
          if (isPaused) await new Promise(setImmediate);
        }
        const there = sorted(scanContainers(ground.kubepods));
        await ground.until(() => Bun.deepEquals(sorted([...ground.known.values()]), there));
        await ground.reportsDone();
        expect(sorted([...ground.known.values()])).toEqual(there);
        // A container with the name of an earlier one may be reported only now, which is equivalent to a report of its
        // limit.
        for (const { containerId } of there) {
          ground.reported.length = 0;
          ground.writeLimit(ground.container(Number.parseInt(containerId, 16)));
          const lines = ["limit", "container"].map((word) => `${word} ${shortened(containerId)}`);
          await ground.until(() => lines.some((line) => ground.reported.includes(line)));
        }
      }),
      { numRuns: 40 },
    );
  });
});

function sorted(containers: KubepodsContainer[]): KubepodsContainer[] {
  return containers.sort((a, b) => (a.containerId < b.containerId ? -1 : 1));
}
