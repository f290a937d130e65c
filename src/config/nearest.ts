/** The candidate that a mistyped name most likely stands for; undefined when none is like it. */
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

/** What a complaint says of a name that is none of these, where one of them may have been meant; else nothing. */
export function suggestionFor(name: string, names: readonly string[]): string {
  const meant = nearestName(name, names);
  return meant === undefined ? "" : `did you mean ${meant}? `;
}

/** The complaint of a field that is none of these. */
export function unknownField(name: string, names: readonly string[]): string {
  return `unknown field ${JSON.stringify(name)}: ${suggestionFor(name, names)}The fields are ${names.join(", ")}`;
}

// The spelling of flags and of environment variables is nearest of all.
function folded(name: string): string {
  return name.slice(0, 64).replace(/[-_]/g, "").toLowerCase();
}

/** How many letters have to be put in, taken out or replaced to make one word of another (Levenshtein). */
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
