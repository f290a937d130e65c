import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";

/** A processor architecture that wasp is built for. */
export type Arch = "x64" | "arm64";

// Keys are outputs of `uname -m`.
const MACHINES: Readonly<Record<string, Arch>> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** Returns the architecture for an output of `uname -m`; undefined for one that wasp is not built for. */
export function archOf(machine: string): Arch | undefined {
  return Object.hasOwn(MACHINES, machine) ? MACHINES[machine] : undefined;
}

/** Search places of wasp's executables. */
export interface ExecutablePlaces {
  /** Path of the running executable. */
  readonly executable: string;
  /** Its architecture, as in process.arch. */
  readonly executableArch: string;
  /** Paths given by flags. */
  readonly given: Readonly<Partial<Record<Arch, string>>>;
}

/**
 * Returns the executable for an architecture: the given one, the running one, or `wasp-ARCH` in the folder of the running
 * one. Throws an error if it is missing, with the expected path, or built for another architecture.
 */
export function findExecutable(arch: Arch, { executable, executableArch, given }: ExecutablePlaces): string {
  const beside = arch === executableArch ? executable : `${dirname(executable)}/wasp-${arch}`;
  const path = given[arch] ?? beside;
  if (!existsSync(path))
    throw new Error(
      `no wasp executable for ${arch}: put it at ${path}, or pass its path with --program-${arch}`,
    );
  if (machineOf(path) !== ELF_MACHINES[arch]) throw new Error(`${path} is not an executable for ${arch}`);
  return path;
}

// e_machine of the ELF header: EM_X86_64, EM_AARCH64.
const ELF_MACHINES: Readonly<Record<Arch, number>> = { x64: 62, arm64: 183 };
const ELF_MACHINE_OFFSET = 18;

/** Returns the machine of an ELF file; undefined for another file. */
function machineOf(path: string): number | undefined {
  const header = Buffer.alloc(ELF_MACHINE_OFFSET + 2);
  const descriptor = openSync(path, "r");
  try {
    const length = readSync(descriptor, header);
    const isElf = length === header.length && header.toString("latin1", 0, 4) === "\x7fELF";
    return isElf ? header.readUInt16LE(ELF_MACHINE_OFFSET) : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/** An executable and the data that a host verifies it with. */
export interface Executable {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256, in hex. */
  readonly digest: string;
}

/** Reads the size and digest of an executable; throws if it cannot be read. */
export async function readExecutable(path: string): Promise<Executable> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { path, sizeBytes, digest: hash.digest("hex") };
}
