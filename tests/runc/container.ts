// Real containers, by the host's own runc in the host's own cgroups. One thing is made up: /proc/meminfo, in a mount
// namespace of runc's own, since a host has the memory and swap that it has.
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import hookDefinition from "../../hooks.d/wasp-swap.json";
import { WASP } from "../node/binary.ts";
import { RECORDED_NODE } from "../node/fake-node.ts";

/** Format of a container's swap limit on this host. */
export interface SwapFile {
  readonly cgroupVersion: 1 | 2;
  readonly name: string;
  /** The memory controller's hierarchy, as the host and as a container see it. */
  readonly mount: string;
}

const CGROUPS = "/sys/fs/cgroup";
const BUSYBOX = "/bin/busybox";

/** Finds out where this host keeps swap limits. Throws where it cannot run these tests: they are never skipped. */
export function requireHost(): SwapFile {
  const swapFile: SwapFile = existsSync(`${CGROUPS}/cgroup.controllers`)
    ? { cgroupVersion: 2, name: "memory.swap.max", mount: CGROUPS }
    : { cgroupVersion: 1, name: "memory.memsw.limit_in_bytes", mount: `${CGROUPS}/memory` };
  const missing = Object.entries({
    // The tests put their cgroups where its pods have theirs, and remove what is empty there.
    "no kubelet of its own (/var/lib/kubelet/pods)": !existsSync("/var/lib/kubelet/pods"),
    "root, to run real containers": process.getuid?.() === 0,
    "runc (apt-get install runc)": Bun.which("runc") !== null,
    "a static busybox (apt-get install busybox-static)": isStatic(BUSYBOX),
    "unshare and mount (util-linux)": Bun.which("unshare") !== null && Bun.which("mount") !== null,
    "dist/wasp (bun build.ts)": existsSync(WASP),
    [`a memory controller that counts swap, in ${swapFile.mount}`]: countsSwap(swapFile),
  }).flatMap(([what, isThere]) => (isThere ? [] : [what]));
  if (missing.length === 0) return swapFile;
  throw new Error(`this host cannot run the tests on real containers; they need ${missing.join("; ")}`);
}

function isStatic(program: string): boolean {
  return existsSync(program) && Bun.spawnSync(["ldd", program]).exitCode !== 0;
}

// The root of cgroup v2 has no memory.swap.max, so there the kernel's accounting shows in a container only.
function countsSwap({ cgroupVersion, mount, name }: SwapFile): boolean {
  return existsSync(`${mount}/${cgroupVersion === 1 ? name : "cgroup.controllers"}`);
}

/** A hook as config.json has it. */
export interface OciHook {
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly timeout: number;
}

/** The hook that hooks.d/ installs, its guard starting the compiled program, with flags behind its own arguments. */
export function waspHook(...flags: readonly string[]): OciHook {
  return guardedHook(WASP, ...flags);
}

/** The hook that hooks.d/ installs, its guard starting a program in the place of wasp. */
export function guardedHook(program: string, ...flags: readonly string[]): OciHook {
  const args = hookDefinition.hook.args.map((arg) => (arg === "/usr/local/bin/wasp" ? program : arg));
  return { ...hookDefinition.hook, args: [...args, ...flags] };
}

/** A hook that runs a shell script in the bundle. */
export function shellHook(script: string): OciHook {
  return { ...hookDefinition.hook, path: "/bin/sh", args: ["sh", "-c", script] };
}

/** Properties of a container; sizes in bytes. */
export interface Recipe {
  /** Its first process: `cat FILE` of the static busybox, for instance. */
  readonly args: readonly string[];
  readonly hooks?: readonly OciHook[];
  readonly oomScoreAdj?: number;
  readonly memoryLimitBytes?: number;
  /** Memory and swap together, as OCI counts on both cgroup versions: the kubelet's NoSwap sets the memory limit. */
  readonly memoryAndSwapBytes?: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A program that came to its end. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A container by its name and its place in each cgroup hierarchy. */
export interface Container {
  readonly id: string;
  readonly bundle: string;
  readonly cgroup: string;
}

/** A pod's cgroups and folder, for real containers to run in. Disposing of it ends them and leaves nothing behind. */
export class Pod implements AsyncDisposable {
  /** Its place in each cgroup hierarchy. */
  readonly cgroup: string;
  /** Its folder: for the test's files too. */
  readonly directory: string;
  /** The /proc/meminfo that its containers' hooks see. */
  readonly meminfo: string;
  /** State directory of runc for the pod's containers (`--root`). */
  readonly runcRoot: string;
  readonly #version: 1 | 2;
  /** Names of its containers, in the order of their creation. */
  readonly ids: string[] = [];

  private constructor(version: 1 | 2, cgroup: string, directory: string) {
    this.#version = version;
    this.cgroup = cgroup;
    this.directory = directory;
    this.meminfo = `${directory}/meminfo`;
    this.runcRoot = `${directory}/runc`;
  }

  /** Makes a pod below a cgroup such as /kubepods/burstable. */
  static async make(parentCgroup: string, { cgroupVersion }: SwapFile): Promise<Pod> {
    const cgroup = `${parentCgroup}/pod${crypto.randomUUID()}`;
    const pod = new Pod(cgroupVersion, cgroup, await mkdtemp(join(tmpdir(), "wasp-pod-")));
    await mkdir(`${pod.directory}/rootfs/bin`, { recursive: true });
    await copyFile(BUSYBOX, `${pod.directory}/rootfs/bin/busybox`);
    await writeFile(pod.meminfo, await meminfoOf(RECORDED_NODE));
    return pod;
  }

  /** Runs a container to its end. */
  async run(recipe: Recipe): Promise<Outcome> {
    const { id, bundle } = await this.#bundle(recipe);
    return finish(insideNode(this.meminfo, [...this.#runc, "run", "--bundle", bundle, id]));
  }

  /** Runs a container to its end, with runc in the pod's own cgroup as CRI-O's `conmon_cgroup = "pod"` has it. */
  async runInPod(recipe: Recipe): Promise<Outcome> {
    const { id, bundle } = await this.#bundle(recipe);
    const monitor = `${this.cgroup}/monitor-${id}`;
    const folders = await this.#foldersOf(monitor);
    const enter = folders.map((folder) => `echo 0 > ${folder}/cgroup.procs`).join(" && ");
    const runc = [...this.#runc, "run", "--bundle", bundle, id];
    const outcome = await finish(
      insideNode(this.meminfo, ["sh", "-c", `${enter} && exec "$@"`, "sh", ...runc]),
    );
    for (const folder of folders) await rmdir(folder);
    return outcome;
  }

  /** Limits the memory of the whole pod, in bytes. */
  async limitMemory(bytes: number): Promise<void> {
    const name = this.#version === 1 ? "memory.limit_in_bytes" : "memory.max";
    await mkdir(this.#memoryFolder, { recursive: true });
    await writeFile(`${this.#memoryFolder}/${name}`, String(bytes));
  }

  /** Returns the most memory that the pod was charged at once, in bytes. */
  async peakBytes(): Promise<number> {
    const name = this.#version === 1 ? "memory.max_usage_in_bytes" : "memory.peak";
    return Number(await readFile(`${this.#memoryFolder}/${name}`, "utf8"));
  }

  get #memoryFolder(): string {
    return `${CGROUPS}${this.#version === 1 ? "/memory" : ""}${this.cgroup}`;
  }

  /** Makes a cgroup in the hierarchies with limits, and returns its folders. */
  async #foldersOf(cgroup: string): Promise<string[]> {
    const hierarchies =
      this.#version === 1 ? ["memory", "cpu", "pids"].map((name) => `${CGROUPS}/${name}`) : [CGROUPS];
    const folders = hierarchies.map((hierarchy) => hierarchy + cgroup);
    for (const folder of folders) await mkdir(folder, { recursive: true });
    return folders;
  }

  /** Creates a container that waits at its first instruction for a start that never comes. */
  async create(recipe: Recipe): Promise<Container> {
    const container = await this.#bundle(recipe);
    const { id, bundle } = container;
    // The waiting process inherits what runc writes to: a pipe would stay open as long as it lives.
    const messages = Bun.file(`${bundle}/messages`);
    const runc = Bun.spawn(insideNode(this.meminfo, [...this.#runc, "create", "--bundle", bundle, id]), {
      stdio: ["ignore", messages, messages],
    });
    if ((await runc.exited) !== 0) throw new Error(`runc create: ${await messages.text()}`);
    return container;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.ids) await finish([...this.#runc, "delete", "--force", id]);
    await removeCgroups(this.cgroup);
    await rm(this.directory, { recursive: true });
  }

  get #runc(): string[] {
    return ["runc", "--root", this.runcRoot];
  }

  async #bundle(recipe: Recipe): Promise<Container> {
    const id = crypto.randomUUID();
    const container = { id, bundle: `${this.directory}/${id}`, cgroup: `${this.cgroup}/${id}` };
    await mkdir(container.bundle);
    const config = ociConfig(recipe, container.cgroup, `${this.directory}/rootfs`, this.#version);
    await writeFile(`${container.bundle}/config.json`, JSON.stringify(config));
    this.ids.push(id);
    return container;
  }
}

function ociConfig(recipe: Recipe, cgroupsPath: string, rootfs: string, version: 1 | 2) {
  // With cgroup v1 runc shows a container its own cgroup alone; with v2 it takes a namespace.
  const namespaces = ["pid", "mount", "ipc", "uts", "network", ...(version === 2 ? ["cgroup"] : [])];
  return {
    ociVersion: "1.0.2",
    process: {
      user: { uid: 0, gid: 0 },
      args: [BUSYBOX, ...recipe.args],
      env: ["PATH=/bin"],
      cwd: "/",
      oomScoreAdj: recipe.oomScoreAdj,
    },
    root: { path: rootfs, readonly: true },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"] },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
      {
        destination: CGROUPS,
        type: "cgroup",
        source: "cgroup",
        options: ["nosuid", "noexec", "nodev", "ro"],
      },
    ],
    annotations: recipe.annotations,
    linux: {
      cgroupsPath,
      namespaces: namespaces.map((type) => ({ type })),
      resources: { memory: { limit: recipe.memoryLimitBytes, swap: recipe.memoryAndSwapBytes } },
    },
    hooks: { createRuntime: recipe.hooks ?? [] },
  };
}

/** The command line of a program that sees a file in the place of /proc/meminfo, and else the host as it is. */
function insideNode(meminfo: string, argv: readonly string[]): string[] {
  const bind = 'mount --bind "$1" /proc/meminfo && shift && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", bind, "sh", meminfo, ...argv];
}

async function meminfoOf(node: typeof RECORDED_NODE): Promise<string> {
  const real = await readFile("/proc/meminfo", "utf8");
  return real
    .replace(/^(MemTotal: +)\d+/m, `$1${node.memoryKibibytes}`)
    .replace(/^(SwapTotal: +)\d+/m, `$1${node.swapKibibytes}`);
}

async function finish(argv: readonly string[]): Promise<Outcome> {
  const program = Bun.spawn([...argv], { stdio: ["ignore", "pipe", "pipe"] });
  const [exitCode, stdout, stderr] = await Promise.all([
    program.exited,
    program.stdout.text(),
    program.stderr.text(),
  ]);
  return { exitCode, stdout, stderr };
}

// With those above it, unless another test uses them: the last to end leaves nothing.
async function removeCgroups(cgroup: string): Promise<void> {
  for (const hierarchy of await cgroupHierarchies()) {
    for (let level = cgroup; level !== "/"; level = dirname(level)) {
      await rmdir(hierarchy + level).catch(ignoreIfGoneOrUsed);
    }
  }
}

async function cgroupHierarchies(): Promise<string[]> {
  if (existsSync(`${CGROUPS}/cgroup.controllers`)) return [CGROUPS];
  const entries = await readdir(CGROUPS, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${CGROUPS}/${entry.name}`);
}

function ignoreIfGoneOrUsed(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT" && error.code !== "EBUSY") throw error;
}
