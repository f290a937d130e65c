// OpenShift takes every version 3 up to the newest that it knows: an older one is taken by older releases too.
const VERSION = "3.2.0";

/** A text file of a machine. */
export interface MachineFile {
  readonly path: string;
  readonly text: string;
  /** As chmod(2) takes it. */
  readonly mode: number;
}

/** A unit of systemd on a machine: its own text, or drop-ins for one that is there. */
export interface MachineUnit {
  readonly name: string;
  readonly contents?: string;
  /** Whether it is started as its [Install] section says; unset for one that others start. */
  readonly enabled?: boolean;
  readonly dropins?: readonly { readonly name: string; readonly contents: string }[];
}

/** A configuration as Ignition reads it. */
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

/** Makes an Ignition configuration of files and units. */
export function ignitionConfig(files: readonly MachineFile[], units: readonly MachineUnit[]): IgnitionConfig {
  return {
    ignition: { version: VERSION },
    ...(files.length === 0 ? {} : { storage: { files: files.map(ignitionFile) } }),
    systemd: { units },
  };
}

function ignitionFile({ path, text, mode }: MachineFile): IgnitionFile {
  return { path, mode, overwrite: true, contents: { source: dataUrl(text) } };
}

function dataUrl(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return `data:text/plain;charset=utf-8;base64,${btoa(String.fromCharCode(...bytes))}`;
}
