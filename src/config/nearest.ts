const MAX_COMPARED_CHARACTERS = 64;

/** Returns the candidate that a mistyped name most likely stands for; undefined if none is similar. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const typed = folded(name);
  let nearest: string | undefined;
  let fewestEdits = Math.ceil(typed.length / 3);
  for (const candidate of candidates) {
    const edits = editDistance(typed, folded(candidate));
    if (edits > fewestEdits || (edits === fewestEdits && nearest !== undefined)) continue;
    nearest = candidate;
    fewestEdits = edits;
  }
  return nearest;
}

// The spellings of a flag, a field and a variable count as equal.
function folded(name: string): string {
  return name.slice(0, MAX_COMPARED_CHARACTERS).replace(/[-_]/g, "").toLowerCase();
}

/** Levenshtein distance: number of inserted, deleted and replaced characters between two words. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
