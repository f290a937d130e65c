import { type StructuredPatchHunk, structuredPatch } from "diff";

const CONTEXT_LINES = 3;

// The library's time grows with the square of the changed lines: 6,000 of them take it minutes.
const MAX_CHANGED_LINES = 500;

/**
 * Returns the difference of two texts in the format of diff -u, without the two lines that name the files; empty if they
 * are equal. Texts that differ in more than 500 lines are shown as one text that replaces the other.
 */
export function unifiedDiff(before: string, after: string): string {
  const hunks = hunksOf(before, after, MAX_CHANGED_LINES) ?? [replacement(before, after)];
  return hunks.map((hunk) => `${[header(hunk), ...hunk.lines].join("\n")}\n`).join("");
}

function hunksOf(before: string, after: string, maxEditLength: number): StructuredPatchHunk[] | undefined {
  const options = { context: CONTEXT_LINES, maxEditLength };
  return structuredPatch("", "", before, after, undefined, undefined, options)?.hunks;
}

function replacement(before: string, after: string): StructuredPatchHunk {
  const [removed] = hunksOf(before, "", Number.POSITIVE_INFINITY) ?? [];
  const [added] = hunksOf("", after, Number.POSITIVE_INFINITY) ?? [];
  return {
    oldStart: 1,
    oldLines: removed?.oldLines ?? 0,
    newStart: 1,
    newLines: added?.newLines ?? 0,
    lines: [...(removed?.lines ?? []), ...(added?.lines ?? [])],
  };
}

// The library's own header has no short form for one line, which diff -u has.
function header({ oldStart, oldLines, newStart, newLines }: StructuredPatchHunk): string {
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`;
}

function range(start: number, count: number): string {
  if (count === 1) return String(start);
  // A side without a line is named by the line before it.
  return `${count === 0 ? start - 1 : start},${count}`;
}
