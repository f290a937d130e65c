/** Commands in the documents, as a shell reads them. */
import { readdirSync, readFileSync } from "node:fs";
import { ROOT } from "./node/binary.ts";

/** A single command of a document, without its pipe, redirections and comment. */
export interface DocumentedCommand {
  readonly file: string;
  readonly words: readonly string[];
  /** File that it reads as standard input; undefined for none. */
  readonly stdin: string | undefined;
  /** True in the prose, where a command may be named without its flags. */
  readonly isProse: boolean;
}

type Unplaced = Omit<DocumentedCommand, "file" | "isProse">;

/** Documents with commands for administrators. */
const DOCUMENTS: readonly string[] = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  ...readdirSync(`${ROOT}/manifests/monitoring/runbooks`).map(
    (name) => `manifests/monitoring/runbooks/${name}`,
  ),
];

// A span of prose is a command only if it begins with one of these and goes on.
const PROGRAMS = /^(?:wasp|dist\/wasp|npm|oc|kubectl|journalctl|systemctl|cat|crio|docker|podman|ctr) /;

/** Returns all commands of all documents: those of the shell's blocks, and those in the prose. */
export function documentedCommands(): DocumentedCommand[] {
  return DOCUMENTS.flatMap((file) =>
    commandsIn(readFileSync(`${ROOT}/${file}`, "utf8")).map((one) => ({ file, ...one })),
  );
}

/** Returns the commands of a text of Markdown. */
export function commandsIn(text: string): Omit<DocumentedCommand, "file">[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  const prose = text.replace(/^```.*?^```$/gms, "");
  const spans = [...prose.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replaceAll("\n", " "));
  const lines = blocks.flatMap((block) => block.replaceAll("\\\n", " ").split("\n"));
  const named = spans.filter((span) => PROGRAMS.test(span));
  return [
    ...lines.flatMap(simpleCommands).map((command) => ({ ...command, isProse: false })),
    ...named.flatMap(simpleCommands).map((command) => ({ ...command, isProse: true })),
  ];
}

/** Returns true for a command of kubectl, or of OpenShift's oc, which has kubectl's commands and flags. */
export function isOfKubectl({ words: [program = ""] }: DocumentedCommand): boolean {
  return program === "kubectl" || program === "oc";
}

/** Splits a line of a shell at its pipes and &&, and each command at its blanks outside of quotes. */
function simpleCommands(line: string): Unplaced[] {
  const tokens =
    line.match(/#(?<= #|^#).*|'[^']*'|&&|[|<>]|[^\s|<>&']+(?:'[^']*'[^\s|<>&']*)*|[^\s'|<>]+/g) ?? [];
  const commands: { words: string[]; stdin: string | undefined }[] = [{ words: [], stdin: undefined }];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? "";
    const current = commands.at(-1) as { words: string[]; stdin: string | undefined };
    if (token.startsWith("#")) break;
    if (token === "|" || token === "&&") commands.push({ words: [], stdin: undefined });
    else if (token === "<") current.stdin = tokens[++index];
    else if (token === ">") index += 1;
    else current.words.push(token.replace(/'([^']*)'/g, "$1"));
  }
  return commands.flatMap(withoutWrapper).filter(({ words }) => words.length > 0);
}

// `oc debug node/NODE -- chroot /host COMMAND` runs the command on the node.
function withoutWrapper(command: Unplaced): Unplaced[] {
  const at = command.words.indexOf("--");
  const inner = command.words.slice(at + 1);
  const isWrapped = command.words[0] === "oc" && command.words[1] === "debug" && inner[0] === "chroot";
  if (!isWrapped) return [command];
  return [
    { ...command, words: command.words.slice(0, at) },
    { ...command, words: inner.slice(2) },
  ];
}
