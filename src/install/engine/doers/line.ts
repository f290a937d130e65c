import { readFileSync } from "node:fs";
import { removeDurably, writeAtomically } from "../../target/atomic-file.ts";
import type { Host } from "../../target/host.ts";
import { locate, statOf } from "../../target/locate.ts";
import { unifiedDiff } from "../diff.ts";
import type { LineEntry } from "../journal.ts";
import type { LineStep } from "../step.ts";
import type { Doer, Undoer } from "./doer.ts";

const DEFAULT_MODE = 0o644;

/** Adds lines to files that wasp does not own. */
export const lineDoer: Doer<LineStep, LineEntry> = {
  look: ({ path, line, part }, host) => {
    const place = locate(host.fsroot, path);
    const stat = statOf(place);
    if (stat === undefined) return { is: "absent", diff: unifiedDiff("", `${line}\n`) };
    if (!stat.isFile())
      return {
        is: "in-the-way",
        why: `${path} is not a regular file, and the ${part} part needs a line in it: skip the part with --skip ${part}`,
      };
    const text = readFileSync(place, "utf8");
    if (linesOf(text).includes(line)) return { is: "as-planned" };
    return { is: "absent", diff: unifiedDiff(text, withLine(text, line)) };
  },
  prepare: ({ part, path, line }, host, earlier) => {
    const text = textAt(host, path);
    const endedLine = text !== undefined && text !== "" && !text.endsWith("\n");
    return earlier ?? { kind: "line", part, path, line, madeFile: text === undefined, endedLine };
  },
  perform: ({ path, line, mode = DEFAULT_MODE }, host) =>
    rewrite(host, path, withLine(textAt(host, path) ?? "", line), mode),
};

/** Removes lines that wasp added. */
export const lineUndoer: Undoer<LineEntry> = {
  assess: ({ path, line }, host) => {
    const text = textAt(host, path);
    return text !== undefined && linesOf(text).includes(line)
      ? { action: "remove" }
      : { action: "none", why: "it no longer has the line" };
  },
  undo: (entry, host) => {
    const text = withoutLine(textAt(host, entry.path) ?? "", entry);
    if (text === "" && entry.madeFile) removeDurably(locate(host.fsroot, entry.path));
    else rewrite(host, entry.path, text, DEFAULT_MODE);
  },
};

function linesOf(text: string): string[] {
  return text.split("\n");
}

function withLine(text: string, line: string): string {
  const isEnded = text === "" || text.endsWith("\n");
  return `${text}${isEnded ? "" : "\n"}${line}\n`;
}

function withoutLine(text: string, { line, endedLine }: LineEntry): string {
  const lines = linesOf(text);
  const rest = lines.toSpliced(lines.lastIndexOf(line), 1).join("\n");
  return endedLine && lines.at(-2) === line ? rest.replace(/\n$/, "") : rest;
}

function textAt(host: Host, path: string): string | undefined {
  const place = locate(host.fsroot, path);
  return statOf(place)?.isFile() ? readFileSync(place, "utf8") : undefined;
}

function rewrite(host: Host, path: string, text: string, mode: number): void {
  const place = locate(host.fsroot, path);
  const stat = statOf(place);
  writeAtomically(
    place,
    { text },
    stat === undefined ? { mode } : { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid },
  );
}
