import type { Host } from "./host.ts";
import { commandLinesOf, filesIn, isThere, readIfThere } from "./read-host.ts";

/** How a service is started: the values of its flags, as far as they can be told. */
export interface ServiceFlags {
  /** Whether the host has the service, running or as a unit of systemd. */
  readonly isThere: boolean;
  /** The last value of a flag, `true` for one without a value; undefined for one that is not given. */
  valueOf(flag: string): string | undefined;
}

/** Reads the flags of a service's running process, or else of its unit of systemd and the files that this names. */
export function readServiceFlags(host: Host, name: string): ServiceFlags {
  const [running] = commandLinesOf(host, name);
  const words = running ?? wordsOfUnit(host, `${name}.service`);
  return { isThere: words !== undefined, valueOf: (flag) => valueIn(words ?? [], flag) };
}

const UNIT_FOLDERS = ["/usr/lib/systemd/system", "/lib/systemd/system", "/etc/systemd/system"];

/** Everything that a unit says, word for word: which of it becomes a flag is systemd's and the shell's to know. */
function wordsOfUnit(host: Host, unit: string): readonly string[] | undefined {
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
  return [...texts, ...variables].join("\n").split(/[\s"'=]+(?=--)|[\s"']+/);
}

function withoutComments(text: string): string {
  return text.replace(/^\s*[#;].*$/gm, "").replaceAll("\\\n", " ");
}

function valueIn(words: readonly string[], flag: string): string | undefined {
  const values = words.flatMap((word, index) => {
    if (word.startsWith(`${flag}=`)) return [word.slice(flag.length + 1)];
    if (word !== flag) return [];
    const next = words[index + 1];
    return [next === undefined || next.startsWith("-") ? "true" : next];
  });
  return values.at(-1);
}
