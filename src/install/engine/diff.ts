const CONTEXT_LINES = 3;

/** A line of two texts: in both, only in the one before, or only in the one after. */
interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
  /** How many lines of each text stand before it. */
  readonly before: number;
  readonly after: number;
}

/** Shows how one text becomes another as diff -u does, without the two lines that name the files; empty if they are equal. */
export function unifiedDiff(before: string, after: string): string {
  const lines = compare(linesOf(before), linesOf(after));
  const hunks = hunksOf(lines);
  return hunks
    .map((hunk) => `${[header(hunk), ...hunk.map(({ mark, text }) => mark + text)].join("\n")}\n`)
    .join("");
}

// The end of the last line counts: a text without it is another one.
function linesOf(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") return lines.slice(0, -1);
  return [...lines.slice(0, -1), `${lines.at(-1)}\n\\ No newline at end of file`];
}

/** All lines of both, by the longest common subsequence. */
function compare(before: readonly string[], after: readonly string[]): Line[] {
  // common[i][j] is how many lines the texts have in common from their lines i and j on.
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row === undefined) continue;
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const lines: Line[] = [];
  for (let i = 0, j = 0; i < before.length || j < after.length; ) {
    const [removed, added] = [before[i], after[j]];
    if (removed !== undefined && removed === added) {
      lines.push({ mark: " ", text: removed, before: i++, after: j++ });
    } else if (removed !== undefined && (added === undefined || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: "-", text: removed, before: i++, after: j });
    } else if (added !== undefined) {
      lines.push({ mark: "+", text: added, before: i, after: j++ });
    }
  }
  return lines;
}

/** The changed lines with those around them; what is near another change is in one hunk with it. */
function hunksOf(lines: readonly Line[]): Line[][] {
  const hunks: Line[][] = [];
  let end = 0;
  for (const [index, { mark }] of lines.entries()) {
    if (mark === " ") continue;
    const start = Math.max(end, index - CONTEXT_LINES);
    const next = Math.min(lines.length, index + CONTEXT_LINES + 1);
    const joined = hunks.at(-1);
    if (joined === undefined || start > end) hunks.push(lines.slice(start, next));
    else joined.push(...lines.slice(end, next));
    end = Math.max(end, next);
  }
  return hunks;
}

function header(hunk: readonly Line[]): string {
  const [first] = hunk;
  const range = (from: number, missing: Line["mark"]) => {
    const count = hunk.filter(({ mark }) => mark !== missing).length;
    // Where a side has no line, it is named by the line before.
    const start = count === 0 ? from : from + 1;
    return count === 1 ? String(start) : `${start},${count}`;
  };
  return `@@ -${range(first?.before ?? 0, "+")} +${range(first?.after ?? 0, "-")} @@`;
}
