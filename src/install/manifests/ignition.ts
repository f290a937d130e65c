import type { FileStep } from "../engine/step.ts";

// OpenShift accepts every version 3 up to the newest that it supports, so that an old one suits older releases too.
const VERSION = "3.2.0";

/** A text file on a machine. */
type MachineFile = Pick<FileStep, "path" | "text" | "mode">;

/** A systemd unit on a machine: its text, or drop-ins for an existing unit. */
export interface MachineUnit {
  readonly name: string;
  readonly contents?: string;
  /** True if it is enabled by its [Install] section; unset for a unit that other units start. */
  readonly enabled?: boolean;
  readonly dropins?: readonly { readonly name: string; readonly contents: string }[];
}

/** An Ignition configuration. */
export interface IgnitionConfig {
  readonly ignition: { readonly version: string };
  readonly storage?: { readonly files: readonly IgnitionFile[] };
  readonly systemd: { readonly units: readonly MachineUnit[] };
}

interface IgnitionFile {
  readonly path: string;
  readonly mode: number;
  readonly overwrite: true;
  readonly contents: { readonly source: string };
}

/** Returns an Ignition configuration with files and units. */
export function ignitionConfig(files: readonly MachineFile[], units: readonly MachineUnit[]): IgnitionConfig {
  return {
    ignition: { version: VERSION },
    ...(files.length === 0 ? {} : { storage: { files: files.map(ignitionFile) } }),
    systemd: { units },
  };
}

function ignitionFile({ path, text, mode }: MachineFile): IgnitionFile {
  const source = `data:text/plain;charset=utf-8;base64,${Buffer.from(text).toString("base64")}`;
  return { path, mode, overwrite: true, contents: { source } };
}
