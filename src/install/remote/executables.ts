import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";

/** A processor architecture that wasp is built for. */
export type Arch = "x64" | "arm64";

// As `uname -m` says it.
const MACHINES: Readonly<Record<string, Arch>> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** The architecture that `uname -m` names; undefined for one that wasp is not built for. */
export function archOf(machine: string): Arch | undefined {
  return Object.hasOwn(MACHINES, machine) ? MACHINES[machine] : undefined;
}

/** Where the executables of wasp are looked for. */
export interface ProgramPlaces {
  /** The one that runs. */
  readonly executable: string;
  /** Its architecture, as process.arch has it. */
  readonly executableArch: string;
  /** Those that flags name. */
  readonly given: Readonly<Partial<Record<Arch, string>>>;
}

/**
 * Finds the executable for an architecture: the one given for it, the one that runs, or `wasp-ARCH` beside that. Throws
 * an error that says where it would have to be, or that it is for something else.
 */
export function findProgram(arch: Arch, { executable, executableArch, given }: ProgramPlaces): string {
  const beside = arch === executableArch ? executable : `${dirname(executable)}/wasp-${arch}`;
  const path = given[arch] ?? beside;
  if (!existsSync(path))
    throw new Error(
      `there is no wasp for ${arch} here: put it at ${path}, or name it with --program-${arch}`,
    );
  if (machineOf(path) !== ELF_MACHINES[arch]) throw new Error(`${path} is no executable for ${arch}`);
  return path;
}

// e_machine of the ELF header: EM_X86_64, EM_AARCH64.
const ELF_MACHINES: Readonly<Record<Arch, number>> = { x64: 62, arm64: 183 };
const ELF_MACHINE_OFFSET = 18;

/** What an ELF file is for; undefined for another file. */
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

/** An executable as it is announced to a host. */
export interface Program {
  readonly path: string;
  readonly sizeBytes: number;
  /** SHA-256, in hex. */
  readonly digest: string;
}

/** Reads an executable for its size and digest; throws where it cannot be read. */
export async function readProgram(path: string): Promise<Program> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { path, sizeBytes, digest: hash.digest("hex") };
}
