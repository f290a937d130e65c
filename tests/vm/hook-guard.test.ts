/** The hook's guard on cgroup v2: containers start whatever becomes of wasp, and their pod does not pay for it. */
import { describe, expect, test } from "bun:test";
import {
  type ContainerSpec,
  hookLog,
  installProgram,
  type Runtime,
  runContainer,
  runtimes,
} from "./container.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, podPaths, podSlices } from "./pods.ts";

const guest = await startNode();

const MEBIBYTE = 1024 ** 2;
const CGROUPS = "/sys/fs/cgroup";
const WASP = "/usr/local/bin/wasp";

/** Pod of a cgroup driver, in whose cgroup podman puts the monitor, which runs the runtime and its hooks. */
interface PodPlace {
  readonly driver: "systemd" | "cgroupfs";
  readonly parent: string;
  /** Folder of the pod's cgroup. */
  readonly folder: string;
  /** Script that makes the pod's cgroup, which outlasts its containers. */
  readonly make: string;
  readonly remove: string;
}

const SLICE = `${CGROUPS}/kubepods.slice/kubepods-burstable.slice/${podSlices.Burstable}`;
const FOLDER = `${CGROUPS}${podPaths.Burstable}`;

const places: readonly PodPlace[] = [
  {
    driver: "systemd",
    parent: podSlices.Burstable,
    folder: SLICE,
    make: `systemctl start ${podSlices.Burstable}`,
    remove: `systemctl stop ${podSlices.Burstable}`,
  },
  {
    driver: "cgroupfs",
    parent: podPaths.Burstable,
    folder: FOLDER,
    make: `mkdir --parents ${FOLDER}
      for folder in ${CGROUPS} ${CGROUPS}/kubepods ${CGROUPS}/kubepods/burstable; do
        echo +cpu +memory +pids > $folder/cgroup.subtree_control
      done`,
    remove: `find ${CGROUPS}/kubepods -depth -type d -exec rmdir {} +`,
  },
];

/** A place with the runtime that puts its containers there. */
type Cell = PodPlace & { readonly runtime: Runtime };

const cells: readonly Cell[] = places.flatMap((place) => runtimes.map((runtime) => ({ ...place, runtime })));
/** Each runtime and each place once, for what does not depend on which of them meet. */
const pairs = cells.filter(({ driver, runtime }) => (driver === "systemd") === (runtime === "runc"));

const specOf = ({ driver, parent }: PodPlace): ContainerSpec => ({
  cgroupParent: parent,
  cgroupManager: driver,
  oomScoreAdj: oomScoreAdjOf32MiB,
  memory: "64m",
});

/** Writes a shell script into the guest as a program, and returns its path. */
async function programOf(script: string): Promise<string> {
  const path = `/run/program-${crypto.randomUUID()}`;
  await guest.must(`cat > ${path} && chmod 755 ${path}`, { stdin: `#!/bin/sh\n${script}\n` });
  return path;
}

/** Removes an executable from the page cache: what is read again is charged to the reader's cgroup. */
const forget = (path: string) =>
  `sync ${path} && dd of=${path} oflag=nocache conv=notrunc,fdatasync count=0 status=none`;

/**
 * Copies wasp to a file system in memory that has a page cache like a disk's, and reads ahead 8 MiB; returns the copy's path.
 * The emulated disk reads 20 MB/s, and so takes most of the time that the guard gives to wasp.
 */
async function copyToFastDisk(): Promise<string> {
  const folder = "/run/fast-disk";
  await guest.must(`truncate --size=200M ${folder}.img; mkfs.ext4 -q ${folder}.img; mkdir ${folder}
    mount -o loop ${folder}.img ${folder}; cp ${WASP} ${folder}/wasp
    for file in /sys/block/loop*/queue/read_ahead_kb; do echo 8192 > $file; done`);
  return `${folder}/wasp`;
}

const fastWasp = await copyToFastDisk();
const fastHook = await installProgram(guest, fastWasp);
const started = expect.objectContaining({ code: 0, stdout: "started\n" });

const run = (cell: Cell, hooksFolder: string) =>
  runContainer(guest, cell.runtime, { ...specOf(cell), hooksFolder }, "echo started");

describe.each(cells)("with $runtime and the $driver driver,", (cell) => {
  test("the hook runs in the root cgroup, not in the pod's", async () => {
    const file = `/run/cgroup-${crypto.randomUUID()}`;
    const hooksFolder = await installProgram(
      guest,
      await programOf(`cat > /dev/null; cat /proc/self/cgroup > ${file}`),
    );
    expect(await run(cell, hooksFolder)).toEqual(started);
    expect(await guest.must(`cat ${file}`)).toBe("0::/\n");
    expect(await hookLog(guest)).toEqual([]);
  });

  test("a container of a pod of 20 MiB starts though wasp is not in memory", async () => {
    await guest.must(`${cell.make}; echo 20M > ${cell.folder}/memory.max`);
    try {
      await guest.must(forget(fastWasp));
      expect(await run(cell, fastHook)).toEqual(started);
      expect(await hookLog(guest)).toEqual([
        expect.objectContaining({ event: "swap-limit-set", reason: "limited-swap" }),
      ]);
    } finally {
      await guest.must(`echo max > ${cell.folder}/memory.max; ${cell.remove}`);
    }
  });
});

describe.each(pairs)("with $runtime and the $driver driver,", (cell) => {
  test.each([
    { what: "missing", script: undefined, error: /^\S+ is not there, or is empty$/ },
    { what: "killed", script: "kill -KILL $$", error: /^\S+ was killed by signal 9$/ },
    { what: "crashing", script: "kill -SEGV $$", error: /^\S+ was killed by signal 11$/ },
    { what: "sleeping", script: "exec sleep 1000", error: /^\S+ did not end within 10 s$/ },
  ])("a container starts despite a wasp that is $what", async ({ script, error }) => {
    const program = script === undefined ? "/run/none" : await programOf(script);
    expect(await run(cell, await installProgram(guest, program))).toEqual(started);
    const log = await hookLog(guest);
    expect(log).toEqual([
      expect.objectContaining({ event: "hook-failed", error: expect.stringMatching(error) }),
    ]);
    expect(log[0]?.["id"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("a pod is not charged for wasp", async () => {
    await guest.must(cell.make);
    try {
      await guest.must(forget(fastWasp));
      expect(await run(cell, fastHook)).toEqual(started);
      // wasp alone takes more: 25 MiB of its own, and 90 MiB of page cache.
      expect(Number(await guest.must(`cat ${cell.folder}/memory.peak`))).toBeLessThan(48 * MEBIBYTE);
    } finally {
      await guest.must(cell.remove);
    }
  });

  test("a container starts while the whole node is short of memory", async () => {
    // All pods share 96 MiB, of which another one takes what it can get, again and again.
    const pods = cell.driver === "systemd" ? `${CGROUPS}/kubepods.slice` : `${CGROUPS}/kubepods`;
    await guest.must(`${cell.make}; mkdir --parents ${pods}/hog; echo 96M > ${pods}/memory.max
      (echo $BASHPID > ${pods}/hog/cgroup.procs
       exec >/dev/null 2>&1 </dev/null; while :; do head --bytes=80M /dev/urandom | tail --bytes=80M; done) &`);
    try {
      await guest.must(forget(fastWasp));
      expect(await run(cell, fastHook)).toEqual(started);
      // The emulated node may be too slow for wasp: then the guard has ended it, and the container has started all the same.
      const [logged, ...others] = await hookLog(guest);
      expect(others).toEqual([]);
      if (logged?.event !== "hook-failed") expect(logged).toMatchObject({ event: "swap-limit-set" });
      else expect(logged["error"]).toBe(`${fastWasp} did not end within 10 s`);
    } finally {
      await guest.must(`echo 1 > ${pods}/hog/cgroup.kill; until rmdir ${pods}/hog; do sleep 0.1; done
        echo max > ${pods}/memory.max; ${cell.remove}`);
    }
  });
});
