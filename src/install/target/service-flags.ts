import type { Host } from "./host.ts";
import { readEnvironment, readProcessesByComm } from "./processes.ts";
import { filesIn, isThere, readIfThere } from "./read-host.ts";

/** Flags and environment of a service, as far as they can be read. */
export interface ServiceFlags {
  /** True if the host has the service, running or as a systemd unit. */
  readonly isThere: boolean;
  /** Returns the last value of a flag, `true` for a flag without a value; undefined where it is not given. */
  valueOf(flag: string): string | undefined;
  /** Returns all values of a flag that may be repeated. */
  valuesOf(flag: string): readonly string[];
  /** Returns the value of an environment variable; undefined for none. Throws where the environment cannot be read. */
  variableOf(name: string): string | undefined;
}

/** Reads the flags of a service's running process, or else of its systemd unit and the files that the unit names. */
export function readServiceFlags(host: Host, name: string): ServiceFlags {
  const [running] = readProcessesByComm(host, name);
  if (running === undefined) return readUnitFlags(host, `${name}.service`);
  const environment = () => readEnvironment(host.fsroot, running.pid);
  return flagsIn(running.argv, (variable) => environment().get(variable));
}

/** Reads the flags in a systemd unit, and in the environment files that it names. */
export function readUnitFlags(host: Host, unit: string): ServiceFlags {
  const text = textOfUnit(host, unit);
  const words = text?.split(/[\s"'=]+(?=--)|[\s"']+/);
  return flagsIn(words, (variable) => variableIn(text ?? "", variable));
}

/** Returns the flags in the words of a command line; the words are undefined where the service is missing. */
export function flagsIn(
  words: readonly string[] | undefined,
  variableOf: ServiceFlags["variableOf"],
): ServiceFlags {
  const valuesOf = (flag: string) => valuesIn(words ?? [], flag);
  return { isThere: words !== undefined, valuesOf, valueOf: (flag) => valuesOf(flag).at(-1), variableOf };
}

/** Folders of units that packages and administrators install, in rising precedence; unit-files.ts has all folders. */
export const PERSISTENT_UNIT_FOLDERS = [
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/usr/local/lib/systemd/system",
  "/etc/systemd/system",
];

/** Returns the text of a unit and its environment files: only systemd and a shell know which of its words become flags. */
function textOfUnit(host: Host, unit: string): string | undefined {
  const files = PERSISTENT_UNIT_FOLDERS.flatMap((folder) => [
    `${folder}/${unit}`,
    ...filesIn(host, `${folder}/${unit}.d`).filter((path) => path.endsWith(".conf")),
  ]).filter((path) => isThere(host, path));
  if (files.length === 0) return undefined;
  const texts = files.map((path) => withoutComments(readIfThere(host, path) ?? ""));
  const named = texts.flatMap((text) =>
    [...text.matchAll(/^EnvironmentFile=-?(\/\S+)/gm)].map(([, path = ""]) => path),
  );
  const variables = named.map((path) => withoutComments(readIfThere(host, path) ?? ""));
  return [...texts, ...variables].join("\n");
}

function withoutComments(text: string): string {
  return text.replace(/^\s*[#;].*$/gm, "").replaceAll("\\\n", " ");
}

function valuesIn(words: readonly string[], flag: string): readonly string[] {
  return words.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    if (word !== flag) return [];
    const next = words[index + 1];
    return [next === undefined || next.startsWith("-") ? "true" : next];
  });
}

// As in Environment=NAME=value and Environment="NAME=value", and in a file of its own NAME="value".
function variableIn(text: string, name: string): string | undefined {
  const pattern = new RegExp(`(?:^|[\\s"'=])${name}=(?:"([^"]*)"|'([^']*)'|([^\\s"']*))`, "g");
  const [, double, single, bare] = [...text.matchAll(pattern)].at(-1) ?? [];
  return double ?? single ?? bare;
}
