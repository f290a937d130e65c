import type { Host } from "./host.ts";
import { readEnvironment } from "./processes.ts";
import { filesIn, isThere, processesNamed, readIfThere } from "./read-host.ts";

/** How a service is started: the values of its flags, as far as they can be told. */
export interface ServiceFlags {
  /** Whether the host has the service, running or as a unit of systemd. */
  readonly isThere: boolean;
  /** The last value of a flag, `true` for one without a value; undefined for one that is not given. */
  valueOf(flag: string): string | undefined;
  /** All values of a flag that may be given again. */
  valuesOf(flag: string): readonly string[];
  /** The value of a variable of its environment; undefined for none. Throws where that cannot be read. */
  variableOf(name: string): string | undefined;
}

/** Reads the flags of a service's running process, or else of its unit of systemd and the files that this names. */
export function readServiceFlags(host: Host, name: string): ServiceFlags {
  const [running] = processesNamed(host, name);
  if (running === undefined) return readUnitFlags(host, `${name}.service`);
  const environment = () => readEnvironment(host.fsroot, running.pid);
  return flagsIn(running.argv, (variable) => environment().get(variable));
}

/** Reads the flags of a unit of systemd, and of the files that it names. */
export function readUnitFlags(host: Host, unit: string): ServiceFlags {
  const text = textOfUnit(host, unit);
  const words = text?.split(/[\s"'=]+(?=--)|[\s"']+/);
  return flagsIn(words, (variable) => variableIn(text ?? "", variable));
}

/** The flags in the words of a command line; undefined where there is no service. */
export function flagsIn(
  words: readonly string[] | undefined,
  variableOf: ServiceFlags["variableOf"],
): ServiceFlags {
  const valuesOf = (flag: string) => valuesIn(words ?? [], flag);
  return { isThere: words !== undefined, valuesOf, valueOf: (flag) => valuesOf(flag).at(-1), variableOf };
}

/** Where units of services are, in rising precedence. */
export const UNIT_FOLDERS = [
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
  "/usr/local/lib/systemd/system",
  "/etc/systemd/system",
];

/** Everything that a unit says: which of its words become flags is systemd's and the shell's to know. */
function textOfUnit(host: Host, unit: string): string | undefined {
  const files = UNIT_FOLDERS.flatMap((folder) => [
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
