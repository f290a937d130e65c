/**
 * Writes words as a command line that every login shell takes apart into the same words again: sh and its kin, zsh,
 * fish and csh. Throws for a word with a control character, which not all of them can be given.
 */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

// Backslashes and not quotes: within single quotes fish still reads backslashes, and csh exclamation marks.
function quoteWord(word: string): string {
  if (/\p{Cc}/u.test(word))
    throw new Error(`${JSON.stringify(word)} has a control character, and no shell can be trusted with it`);
  return word === "" ? "''" : word.replace(/[^\w./:,@+\x80-\uffff-]/g, "\\$&");
}
