import { readFile, readFileIfThere } from "../../host/file.ts";
import type { KubepodsContainer } from "../../host/kubepods.ts";
import { MemoryMin } from "../../host/memory-min.ts";
import type { Reporter } from "../metrics/reporter.ts";

/** Options of a self-protection. */
export interface SelfProtectionOptions {
  /** UID of the agent's own pod; undefined outside a pod. */
  readonly podUid: string | undefined;
  readonly containers: () => readonly KubepodsContainer[];
  readonly reporter: Reporter;
  readonly nowSeconds: () => number;
}

// As systemd and oomd's production set-up protect an OOM daemon (oomd docs/production_setup.md).
const MAX_BYTES = 64 * 2 ** 20;
// The pod's own limit is reached first by pages of the executable and of files, which have to stay reclaimable: with all
// of it protected, the kernel would kill the agent.
const LIMIT_FRACTION = 0.5;
// systemd writes the slices' own values whenever it applies their units again, as at `systemctl daemon-reload`.
const INTERVAL_SECONDS = 10;

/**
 * Protection of the agent's own memory by memory.min, so that it stays quick on a node that thrashes: the pages of its code
 * are reclaimed like anybody's.
 */
export class SelfProtection {
  readonly #options: SelfProtectionOptions;
  #memoryMin: MemoryMin | undefined;
  #bytes = 0;
  #result: string | undefined;
  #nextSeconds = Number.NEGATIVE_INFINITY;

  constructor(options: SelfProtectionOptions) {
    this.#options = options;
  }

  /** Protects the memory, or does so again if another program has undone that; to be called each second. Never throws. */
  keep(): void {
    const now = this.#options.nowSeconds();
    if (this.#options.podUid === undefined || now < this.#nextSeconds) return;
    this.#nextSeconds = now + INTERVAL_SECONDS;
    try {
      this.#memoryMin ??= this.#find();
      const foreign = this.#memoryMin?.protect(this.#bytes);
      if (this.#memoryMin !== undefined) this.#report(foreign && `${foreign} is set by another program`);
    } catch (error) {
      this.#report((error as Error).message);
    }
  }

  /** Ends the protection, also that of an earlier agent which was killed. Never throws. */
  release(): void {
    const levels = this.#options
      .containers()
      .flatMap(({ cgroup }) => (cgroup.version === 1 ? [] : [...cgroup.own, ...cgroup.ancestors]));
    try {
      new MemoryMin([...new Set(levels)]).release();
    } catch (error) {
      this.#report((error as Error).message);
    }
    this.#memoryMin = undefined;
    this.#result = undefined;
  }

  /** Finds the agent's own container; undefined until the agent knows it, and on cgroup v1. */
  #find(): MemoryMin | undefined {
    const { podUid, containers } = this.#options;
    const own = containers().find((candidate) => candidate.podUid === podUid && hasProcess(candidate));
    if (own === undefined || own.cgroup.version === 1) return undefined;
    const { own: levels, ancestors } = own.cgroup;
    const scope = levels.at(-1) ?? "";
    const limit = readFile(`${scope}/memory.max`).trim();
    this.#bytes = Math.min(MAX_BYTES, limit === "max" ? MAX_BYTES : Number(limit) * LIMIT_FRACTION);
    return new MemoryMin([...levels, ...ancestors]);
  }

  /** Logs a result that differs from the last one; undefined for a protected memory. */
  #report(problem: string | undefined): void {
    const result = problem ?? "";
    if (result === this.#result) return;
    this.#result = result;
    const { reporter } = this.#options;
    if (problem === undefined) reporter.log("agent-memory-protected", { bytes: this.#bytes });
    else reporter.log("agent-memory-unprotected", { error: problem });
  }
}

/** Returns true if this process is in a cgroup of the container; its pid is that of its own PID namespace there, too. */
function hasProcess({ cgroup }: KubepodsContainer): boolean {
  return cgroup.own.some((directory) =>
    (readFileIfThere(`${directory}/cgroup.procs`) ?? "").split("\n").includes(String(process.pid)),
  );
}
