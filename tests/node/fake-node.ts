import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";

/** Memory and swap of the recorded node (tests/fixtures/recordings/api/node.json), in kibibytes. */
export const RECORDED_NODE = { memoryKibibytes: 4_016_548, swapKibibytes: 1_048_572 };

/** Files and cgroups of a container in a fake node. */
export interface FakeContainer {
  /** Text of config.json; undefined for a bundle without it. */
  readonly config: string | undefined;
  readonly bundle: string;
  readonly pid: number;
  /** Cgroup of its process below the mount point. */
  readonly cgroup: string;
  /** Files of each of its cgroups, by path below the mount point. */
  readonly files: Readonly<Record<string, string>>;
}

/** Temporary tree in place of a node's root: /proc, /sys/fs/cgroup and OCI bundles. */
export class FakeNode implements Disposable {
  readonly root = mkdtempSync(`${tmpdir()}/wasp-node-`);
  readonly cgroupVersion: 1 | 2;

  constructor(cgroupVersion: 1 | 2, node = RECORDED_NODE) {
    this.cgroupVersion = cgroupVersion;
    this.setCapacity(node);
  }

  /** Sets the node's memory and swap atomically: a reader of meminfo sees the old or the new values. */
  setCapacity({ memoryKibibytes, swapKibibytes }: typeof RECORDED_NODE): void {
    this.write(
      "/proc/meminfo.next",
      `MemTotal:        ${memoryKibibytes} kB\nMemFree:          123456 kB\nSwapTotal:       ${swapKibibytes} kB\n`,
    );
    renameSync(`${this.root}/proc/meminfo.next`, `${this.root}/proc/meminfo`);
  }

  /** Creates a container's bundle, its entry in /proc and its cgroups. */
  add(container: FakeContainer): void {
    if (container.config !== undefined) this.write(`${container.bundle}/config.json`, container.config);
    const line = this.cgroupVersion === 2 ? `0::${container.cgroup}` : `4:memory:${container.cgroup}\n0::/`;
    this.write(`/proc/${container.pid}/cgroup`, `${line}\n`);
    for (const [path, text] of Object.entries(container.files))
      this.write(`${this.mount}${path}`, `${text}\n`);
  }

  /** Mount point of the memory controller. */
  get mount(): string {
    return this.cgroupVersion === 2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
  }

  /** Writes a file of the node, with its folders. */
  write(path: string, text: string): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, text);
  }

  /** Reads a file of the node, without surrounding white space. */
  read(path: string): string {
    return readFileSync(this.root + path, "utf8").trim();
  }

  /** Path of the log that the hook writes for this node. */
  readonly log = `${this.root}/hook.log`;

  /** Logged lines, without time and process. */
  get logged(): string[] {
    if (!existsSync(this.log)) return [];
    const lines = readFileSync(this.log, "utf8").trimEnd().split("\n");
    return lines.map((line) => line.replace(/^\S+ wasp\[\d+\]: hook: /, ""));
  }

  /** Returns every file of the cgroup hierarchy with its text: a snapshot to compare. */
  cgroupFiles(): Record<string, string> {
    const root = `${this.root}/sys/fs/cgroup`;
    const names = existsSync(root) ? (readdirSync(root, { recursive: true, withFileTypes: true }) ?? []) : [];
    const files = names.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
    return Object.fromEntries(
      files.sort().map((file) => [file.slice(root.length), readFileSync(file, "utf8").trim()]),
    );
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true });
  }
}
