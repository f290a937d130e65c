// Runs the script with this host's util-linux. /proc, /sys, /run and the programs that would change this host's swap are
// stand-ins. A device is a file here, which mkswap, blkid and wipefs treat alike.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import type { SwapSize, SwapTarget } from "../../../src/install/engine/options.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";

const MI = 1024 ** 2;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/wasp-swap-`);
  put("proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\nMemAvailable:    8192000 kB\n");
  put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
  for (const program of ["swapon", "swapoff", "systemctl"])
    stub(program, 'echo "$(basename "$0") $*" >>"$LOG"');
  onFileSystem("ext2/ext3");
});
afterEach(() => rm(folder, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
  writeFileSync(`${folder}/${path}`, text);
}

function stub(program: string, script: string): void {
  put(`bin/${program}`, `#!/bin/sh\n${script}\n`);
  chmodSync(`${folder}/bin/${program}`, 0o755);
}

// Independent of the file system of this host's temporary files.
function onFileSystem(type: string): void {
  stub("stat", `[ "$3" = %T ] && echo ${type} || exec /usr/bin/stat "$@"`);
}

const log = () => (existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, "utf8") : "");

/** Runs the script for a target, killed before the line that begins with `until`; returns its exit code and output. */
function run(action: "make" | "release" | "remove", target: SwapTarget, size?: SwapSize, until?: string) {
  const setup = swapSetup({ target, size, priority: undefined });
  if (setup === undefined) throw new Error("no unit name for this path");
  const text = setup.script.text
    .replaceAll("/proc/", `${folder}/proc/`)
    .replaceAll("/sys/", `${folder}/sys/`)
    .replaceAll("/run/", `${folder}/run/`)
    .replace('[ -b "$place" ]', '[ -f "$place" ]');
  const cut =
    until === undefined ? text : text.replace(new RegExp(`^  ${until}.*$`, "m"), "  kill -KILL $$$$");
  if (until !== undefined) expect(cut).not.toBe(text);
  put("swap.sh", cut);
  const { exitCode, stdout, stderr } = Bun.spawnSync(["/bin/sh", `${folder}/swap.sh`, action], {
    env: { PATH: `${folder}/bin:/usr/bin:/bin`, LOG: `${folder}/log` },
  });
  return { exitCode, output: `${stdout}${stderr}` };
}

const OK = { exitCode: 0, output: "" };

function holds(path: string): string {
  const value = (tag: string) =>
    Bun.spawnSync(["/usr/sbin/blkid", "-p", "-o", "value", "-s", tag, path]).stdout.toString().trim();
  return `${value("TYPE")} ${value("LABEL")}`.trim();
}

describe("a swap file", () => {
  const size: SwapSize = { kind: "bytes", bytes: 4 * MI };
  const target = (): SwapTarget => ({ kind: "file", path: `${folder}/deep/down/swapfile` });
  const path = () => `${folder}/deep/down/swapfile`;
  const around = () => readdirSync(`${folder}/deep/down`);

  test("is made complete, readable by root alone, with its folder", () => {
    expect(run("make", target(), size)).toEqual(OK);
    expect(holds(path())).toBe("swap wasp-swap");
    const { size: bytes, mode, blocks } = statSync(path());
    expect([bytes, mode & 0o777]).toEqual([4 * MI, 0o600]);
    // Without holes, which swapon refuses.
    expect(blocks * 512).toBeGreaterThanOrEqual(4 * MI);
    expect(around()).toEqual(["swapfile"]);
  });

  test("is made once", () => {
    run("make", target(), size);
    const { ino, ctimeMs } = statSync(path());
    expect(run("make", target(), size)).toEqual(OK);
    expect(statSync(path())).toMatchObject({ ino, ctimeMs });
  });

  test("has the requested share of the node's memory", () => {
    put("proc/meminfo", "MemTotal:          20500 kB\nMemAvailable:   8192 kB\n");
    expect(run("make", target(), { kind: "overcommit", percent: 150 })).toEqual(OK);
    // 10250 KiB, in whole MiB.
    expect(statSync(path()).size).toBe(10 * MI);
  });

  test.each(["fallocate", "mkswap", "set_context", "sync", "mv"])(
    "is made at the next boot after a power cut before %s",
    (step) => {
      expect(run("make", target(), size, step).exitCode).toBeNull();
      expect(existsSync(path())).toBe(false);
      expect(run("make", target(), size)).toEqual(OK);
      expect([holds(path()), around()]).toEqual(["swap wasp-swap", ["swapfile"]]);
    },
  );

  test("does not replace another file", () => {
    put("deep/down/swapfile", "mine");
    expect(run("make", target(), size)).toEqual({
      exitCode: 1,
      output: `${path()}: exists already and was not made by wasp: move it away\n`,
    });
    put("proc/swaps", `Filename Type Size Used Priority\n${path()} file 4092 100 -3\n`);
    expect(run("remove", target(), size).exitCode).toBe(1);
    expect(log()).toBe("");
    expect(readFileSync(path(), "utf8")).toBe("mine");
  });

  test("is not made if it would fill the disk", () => {
    const huge = run("make", target(), { kind: "bytes", bytes: 2 ** 50 });
    expect(huge.exitCode).toBe(1);
    expect(huge.output).toContain(`${2 ** 50} bytes do not fit:`);
    expect(around()).toEqual([]);
  });

  test.each(["overlayfs", "tmpfs", "zfs"])("is not made on %s", (type) => {
    onFileSystem(type);
    expect(run("make", target(), size).output).toContain(`${type} does not support swap files`);
    expect(around()).toEqual([]);
  });

  test("is not copied on write on a btrfs", () => {
    onFileSystem("btrfs");
    stub("chattr", 'echo "chattr $(stat -c %s "$2") $*" >>"$LOG"; /usr/bin/stat -c %s "$2" >>"$LOG"');
    expect(run("make", target(), size)).toEqual(OK);
    // The attribute has an effect only on an empty file.
    expect(log()).toMatch(/chattr .*-c .*swapfile\.new\n0\nchattr .*\+C .*swapfile\.new\n0\n/);
  });

  test.each(["chattr", "fallocate", "mkswap"])("leaves nothing if %s fails", (program) => {
    onFileSystem("btrfs");
    for (const name of ["chattr", "fallocate", "mkswap"]) stub(name, name === program ? "exit 9" : ":");
    expect(run("make", target(), size).exitCode).toBe(9);
    expect(around()).toEqual([]);
  });

  test("is removed, and removal can be repeated", () => {
    run("make", target(), size);
    put("deep/down/swapfile.new", "of an interrupted boot");
    expect(run("remove", target(), size)).toEqual(OK);
    expect(around()).toEqual([]);
    expect(run("remove", target(), size)).toEqual(OK);
    expect(log()).toBe("");
  });

  test("is turned off before it is removed, by its units too", () => {
    run("make", target(), size);
    put(
      "proc/swaps",
      `Filename Type Size Used Priority\n/dev/sda2 partition 9 9000000 -2\n${path()} file 4092 100 -3\n`,
    );
    put("run/systemd/system/x", "");
    expect(run("remove", target(), size)).toEqual(OK);
    expect(log()).toStartWith(`swapoff ${path()}\nsystemctl stop `);
    expect(log()).toContain("swapfile.swap wasp-swap.service\n");
    expect(existsSync(path())).toBe(false);
  });

  test("stays on if memory cannot take its content", () => {
    run("make", target(), size);
    // A twentieth of 16384000 KiB has to stay available.
    put("proc/swaps", `Filename Type Size Used Priority\n${path()} file 9000000 7372801 -2\n`);
    const { exitCode, output } = run("remove", target(), size);
    expect([exitCode, log()]).toEqual([1, ""]);
    expect(output).toContain("7372801 KiB are swapped out and 8192000 KiB of memory are available");
    expect(holds(path())).toBe("swap wasp-swap");
  });
});

describe("a device", () => {
  const path = () => `${folder}/disk`;
  const target = (): SwapTarget => ({ kind: "device", path: path(), isEncrypted: false });
  const blank = () => writeFileSync(path(), new Uint8Array(4 * MI), { mode: 0o600 });
  beforeEach(blank);
  const content = () => Bun.hash(readFileSync(path()));

  test("becomes swap, once", () => {
    expect(run("make", target())).toEqual(OK);
    expect(holds(path())).toBe("swap wasp-swap");
    const before = content();
    expect(run("make", target())).toEqual(OK);
    expect(content()).toBe(before);
  });

  test("becomes swap at the next boot after a power cut before mkswap", () => {
    expect(run("make", target(), undefined, "mkswap").exitCode).toBeNull();
    expect(run("make", target())).toEqual(OK);
    expect(holds(path())).toBe("swap wasp-swap");
  });

  test.each<[string, () => void]>([
    ["a file system", () => Bun.spawnSync(["/usr/sbin/mke2fs", "-q", path()])],
    ["other swap", () => Bun.spawnSync(["/usr/sbin/mkswap", "--label", "mine", path()])],
    ["a partition table", () => patch(446, [0, 0, 2, 0, 0x83, 0, 4, 0, 1, 0, 0, 0, 0, 8], [510, 0x55, 0xaa])],
    ["data without a signature", () => patch(1024 * 1000, [1])],
    ["less than a MiB", () => writeFileSync(path(), new Uint8Array(MI - 1))],
    ["nothing, as it does not exist", () => rmSync(path())],
  ])("that holds %s is not changed", (_, fill) => {
    fill();
    const before = existsSync(path()) ? content() : undefined;
    const { exitCode, output } = run("make", target());
    expect(exitCode).toBe(1);
    expect(output).toMatch(/: (holds .*|its first MiB cannot be read|is not a block device)\n$/);
    expect(existsSync(path()) ? content() : undefined).toBe(before);
    put("proc/swaps", `Filename Type Size Used Priority\n${path()} partition 4092 100 -3\n`);
    expect(run("remove", target())).toEqual(OK);
    expect(log()).toBe("");
    expect(existsSync(path()) ? content() : undefined).toBe(before);
  });

  function patch(offset: number, bytes: readonly number[], [at, ...more]: readonly number[] = []): void {
    const disk = new Uint8Array(4 * MI);
    disk.set(bytes, offset);
    if (at !== undefined) disk.set(more, at);
    writeFileSync(path(), disk);
  }

  test("is blank after removal, and can become swap again", () => {
    run("make", target());
    expect(run("remove", target())).toEqual(OK);
    expect(holds(path())).toBe("");
    expect(readFileSync(path()).every((byte) => byte === 0)).toBe(true);
    expect(run("make", target())).toEqual(OK);
  });

  test("that holds something is not encrypted", () => {
    Bun.spawnSync(["/usr/sbin/mke2fs", "-q", path()]);
    const before = content();
    stub("cryptsetup", 'echo "cryptsetup $*" >>"$LOG"');
    const { exitCode, output } = run("make", { kind: "device", path: path(), isEncrypted: true });
    expect([exitCode, output]).toEqual([1, `${path()}: holds ext2\n`]);
    expect([content(), log()]).toEqual([before, ""]);
  });
});

describe("zram", () => {
  const size: SwapSize = { kind: "bytes", bytes: 64 * MI };
  const target: SwapTarget = { kind: "zram" };
  beforeEach(() => {
    put("sys/class/zram-control/hot_add", "7\n");
    put("sys/class/zram-control/hot_remove", "");
    put("sys/block/zram7/comp_algorithm", "[lzo-rle] lz4 zstd\n");
    put("sys/block/zram7/disksize", "0\n");
    put("run/x", "");
    stub("mkswap", 'echo "mkswap $*" >>"$LOG"');
  });
  const read = (path: string) => readFileSync(`${folder}/${path}`, "utf8").trim();

  test("is a new device, turned on with a priority, and made once", () => {
    expect(run("make", target, size)).toEqual(OK);
    expect(read("sys/block/zram7/disksize")).toBe(String(64 * MI));
    expect(read("sys/block/zram7/comp_algorithm")).toBe("zstd");
    expect(log()).toBe("mkswap --label wasp-swap /dev/zram7\nswapon --priority 100 /dev/zram7\n");
    put("proc/swaps", "Filename Type Size Used Priority\n/dev/zram7 partition 65532 0 100\n");
    expect(run("make", target, size)).toEqual(OK);
    expect(log().match(/swapon/g)).toHaveLength(1);
  });

  test("is freed if it cannot be turned on", () => {
    stub("swapon", "echo 'swapon failed: no' >&2; exit 255");
    expect(run("make", target, size)).toEqual({ exitCode: 255, output: "swapon failed: no\n" });
    expect(read("sys/class/zram-control/hot_remove")).toBe("7");
    expect(existsSync(`${folder}/run/wasp-zram`)).toBe(false);
  });

  test("is turned off and freed", () => {
    run("make", target, size);
    put("proc/swaps", "Filename Type Size Used Priority\n/dev/zram7 partition 65532 100 100\n");
    expect(run("release", target, size)).toEqual(OK);
    expect(log()).toEndWith("swapoff /dev/zram7\n");
    expect(read("sys/class/zram-control/hot_remove")).toBe("7");
    expect(run("remove", target, size)).toEqual(OK);
  });
});

test("the script without an argument prints its usage", () => {
  const setup = swapSetup({
    target: { kind: "zram" },
    size: { kind: "bytes", bytes: MI },
    priority: undefined,
  });
  put("swap.sh", setup?.script.text ?? "");
  const { exitCode, stderr } = Bun.spawnSync(["/bin/sh", `${folder}/swap.sh`]);
  expect([exitCode, stderr.toString()]).toEqual([1, `zram: usage: ${folder}/swap.sh make|release|remove\n`]);
});
