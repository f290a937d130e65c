import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import hook from "../../../hooks.d/wasp-swap.json";
import { checkHost } from "../../../src/install/check/all-checks.ts";
import type { FindingId, Severity } from "../../../src/install/finding/finding.ts";
import type { Host } from "../../../src/install/target/host.ts";

const MI = 2 ** 20;
const BOOT_SECONDS = 1_750_000_000;
/** Start time of the host's services: a minute after the host's. */
const STARTED_SECONDS = BOOT_SECONDS + 60;

const PSI = ["some", "full"].map((kind) => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`).join("");
const ROOT_MOUNT = "24 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n";
const NOSWAP_MOUNT = "99 24 0:44 / /var/lib/kubelet/pods/a/secret rw - tmpfs tmpfs rw,size=4k,noswap\n";
const SWAPS_HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

/** A temporary tree of a host with Kubernetes, CRI-O and wasp, on which checks find nothing wrong. */
export class CheckedHost implements Disposable, Host {
  readonly fsroot = mkdtempSync(`${tmpdir()}/wasp-checked-`);
  isRunning = true;
  readonly program = { path: "/proc/self/exe", digest: "" };
  /** The version that the executable prints, or the error that it ends with. */
  version: string | Error = "wasp 0.1.0 (0123456)\n";
  /** Command lines that were run. */
  readonly ran: string[] = [];

  constructor() {
    this.#addKernel();
    this.#addCgroups();
    this.#addDisks();
    this.#addServices();
    this.#addWasp();
  }

  run(argv: readonly string[]): string {
    this.ran.push(argv.join(" "));
    if (this.version instanceof Error) throw this.version;
    return this.version;
  }

  /** Writes a file and its folders, and replaces anything at its path. */
  write(path: string, text: string, mode = 0o644): void {
    this.remove(path);
    mkdirSync(dirname(this.fsroot + path), { recursive: true });
    writeFileSync(this.fsroot + path, text);
    chmodSync(this.fsroot + path, mode);
    this.touch(path, BOOT_SECONDS);
  }

  /** Sets the modification time of a file. */
  touch(path: string, seconds = STARTED_SECONDS + 3600): void {
    utimesSync(this.fsroot + path, seconds, seconds);
  }

  remove(path: string): void {
    rmSync(this.fsroot + path, { recursive: true, force: true });
  }

  /** Replaces a file by a folder, which cannot be read as a file. */
  spoil(path: string): void {
    this.remove(path);
    mkdirSync(this.fsroot + path, { recursive: true });
  }

  link(path: string, target: string): void {
    this.remove(path);
    mkdirSync(dirname(this.fsroot + path), { recursive: true });
    symlinkSync(target, this.fsroot + path);
  }

  chmod(path: string, mode: number): void {
    chmodSync(this.fsroot + path, mode);
  }

  /** Adds a process with its command line and environment. */
  addProcess(pid: number, argv: readonly string[], environment: readonly string[] = []): void {
    const words = (all: readonly string[]) => all.map((word) => `${word}\0`).join("");
    this.write(`/proc/${pid}/comm`, `${(argv[0] ?? "").replace(/.*\//, "").slice(0, 15)}\n`);
    this.write(`/proc/${pid}/cmdline`, words(argv));
    this.write(`/proc/${pid}/environ`, words(environment));
    const ticks = (STARTED_SECONDS - BOOT_SECONDS) * 100;
    const before = Array.from({ length: 18 }, () => "0").join(" ");
    this.write(`/proc/${pid}/stat`, `${pid} (a (b) c) S ${before} ${ticks} 0 0\n`);
  }

  /** Sets the active swap areas, as lines of /proc/swaps. */
  setSwaps(...lines: readonly string[]): void {
    this.write("/proc/swaps", SWAPS_HEAD + lines.map((line) => `${line}\n`).join(""));
  }

  /** Adds mounts, as lines of mountinfo. */
  setMounts(...lines: readonly string[]): void {
    this.write("/proc/1/mountinfo", [ROOT_MOUNT, ...lines.map((line) => `${line}\n`)].join(""));
  }

  /** Adds a block device with its files; a partition is added below its disk. */
  addBlockDevice(path: string, number: string, files: Readonly<Record<string, string>> = {}): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const directory = `/sys/devices/${path}`;
    this.write(`${directory}/dev`, `${number}\n`);
    for (const [file, text] of Object.entries(files)) this.write(`${directory}/${file}`, text);
    this.link(`/sys/class/block/${name}`, `../../devices/${path}`);
    this.link(`/sys/dev/block/${number}`, `../../devices/${path}`);
    this.write(`/dev/${name}`, "");
  }

  /** Makes a process hold the lock of the node's agent. */
  lockBy(pid: number | undefined): void {
    const { dev, ino } = statSync(`${this.fsroot}/sys/fs/cgroup`);
    const hex = (figure: number) => figure.toString(16).padStart(2, "0");
    const device = `${hex((dev >>> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >>> 12) & 0xfff00))}`;
    const other = `1: POSIX  ADVISORY  WRITE 501 ${device}:1 0 EOF\n`;
    const own = `2: FLOCK  ADVISORY  WRITE ${pid} ${device}:${ino} 0 EOF\n`;
    this.write("/proc/locks", pid === undefined ? other : other + own);
  }

  [Symbol.dispose](): void {
    rmSync(this.fsroot, { recursive: true });
  }

  #addKernel(): void {
    this.write("/proc/sys/kernel/osrelease", "6.12.48+deb13-cloud-amd64\n");
    this.write("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro psi=1\n");
    this.write("/proc/sys/vm/swappiness", "60\n");
    this.write("/proc/pressure/memory", PSI);
    const figures = { MemTotal: 3922, MemFree: 3000, MemAvailable: 3200, SwapTotal: 1024, SwapFree: 1024 };
    const lines = Object.entries(figures).map(([name, mebibytes]) => `${name}: ${mebibytes * 1024} kB\n`);
    this.write("/proc/meminfo", `${lines.join("")}Inactive(file): 102400 kB\n`);
    this.write("/proc/vmstat", "pswpin 0\npswpout 0\n");
    this.write("/proc/stat", `cpu 1 2 3\nbtime ${BOOT_SECONDS}\n`);
    this.setSwaps("/dev/dm-0 partition 1048572 0 -2");
    this.setMounts(NOSWAP_MOUNT.trimEnd());
    this.write("/sys/module/zswap/parameters/enabled", "N\n");
  }

  #addCgroups(): void {
    const mount = "/sys/fs/cgroup";
    this.write(`${mount}/cgroup.controllers`, "cpuset cpu io memory pids\n");
    const files = {
      "cgroup.procs": "",
      "memory.max": "max\n",
      "memory.high": "max\n",
      "memory.swap.max": "max\n",
      "memory.current": `${500 * MI}\n`,
      "memory.swap.current": "0\n",
      "memory.stat": "anon 0\ninactive_file 0\n",
      "memory.pressure": PSI,
    };
    for (const slice of ["system.slice", "kubepods.slice"])
      for (const [name, text] of Object.entries(files)) this.write(`${mount}/${slice}/${name}`, text);
    this.write(`${mount}/system.slice/memory.swap.max`, "0\n");
    this.write(`${mount}/system.slice/io.latency`, "254:16 target=50000\n");
    this.write(`${mount}/kubepods.slice/memory.max`, `${2898 * MI}\n`);
    this.write(`${mount}/kubepods.slice/memory.high`, `${2711 * MI}\n`);
    this.lockBy(900);
  }

  #addDisks(): void {
    this.addBlockDevice("pci/vda", "254:0");
    this.addBlockDevice("pci/vda/vda1", "254:1", { partition: "1\n" });
    this.addBlockDevice("pci/vdb", "254:16");
    this.addBlockDevice("virtual/dm-0", "253:0", { "dm/uuid": "CRYPT-PLAIN-swap\n" });
    this.link("/sys/devices/virtual/dm-0/slaves/vdb", "../../../pci/vdb");
    this.link("/dev/mapper/swap", "../dm-0");
  }

  #addServices(): void {
    this.addProcess(800, [
      "/usr/bin/kubelet",
      "--config=/var/lib/kubelet/config.yaml",
      "--config-dir",
      "/etc/kubernetes/kubelet.conf.d",
      "--v=2",
    ]);
    this.link("/proc/800/root", "../..");
    this.write(
      "/var/lib/kubelet/config.yaml",
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailSwapOn: true\ncontainerRuntimeEndpoint: unix:///var/run/crio/crio.sock\n",
    );
    this.write(
      "/etc/kubernetes/kubelet.conf.d/50-wasp.conf",
      "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfailSwapOn: false\n",
    );
    this.addProcess(700, ["/usr/bin/crio"]);
    this.write("/etc/crio/crio.conf.d/10-crio.conf", '[crio.runtime]\ndefault_runtime = "crun"\n');
    this.write(
      "/etc/systemd/system/system.slice.d/50-wasp.conf",
      "[Slice]\nMemorySwapMax=0\nIODeviceLatencyTargetSec=/dev/mapper/swap 50ms\n",
    );
    this.write("/etc/systemd/system/dev-mapper-swap.swap", "[Swap]\nWhat=/dev/mapper/swap\n");
    this.link("/etc/systemd/system/swap.target.wants/dev-mapper-swap.swap", "../dev-mapper-swap.swap");
  }

  #addWasp(): void {
    this.write("/bin/sh", "", 0o755);
    this.write("/usr/local/bin/wasp", "", 0o755);
    this.write("/usr/share/containers/oci/hooks.d/wasp-swap.json", JSON.stringify(hook));
  }
}

/** Returns what a check finds on a host, with its severity in front; "none" for no finding. */
export function foundOn(host: CheckedHost, id: FindingId): string {
  const finding = checkHost(host).find((one) => one.id === id);
  return finding === undefined ? "none" : `${finding.severity}: ${finding.found}`;
}

/** Reads the text of the definition of wasp's hook. */
export function hookText(host: CheckedHost): string {
  return readFileSync(`${host.fsroot}/usr/share/containers/oci/hooks.d/wasp-swap.json`, "utf8");
}

/**
 * A change to a sound host: the id of the check, a title, the change, the severity that the check finds, and a part of what
 * it says. "none" stands for no finding.
 */
export type Breakage = readonly [FindingId, string, (host: CheckedHost) => void, Severity | "none", string];

/** Tests what a check finds on a host after each breakage. */
export function testBreakages(breakages: readonly Breakage[]): void {
  test.each(breakages)("%s: %s", (id, _, breakHost, severity, words) => {
    using host = new CheckedHost();
    breakHost(host);
    expect(foundOn(host, id)).toStartWith(severity);
    expect(foundOn(host, id)).toContain(words);
  });
}
