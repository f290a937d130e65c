/**
 * Quotes words as a command line that every login shell splits into the same words: POSIX shells, zsh, fish and csh.
 * Throws for a word with a control character, which some of them cannot pass on.
 */
export function quoteWords(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}

// Backslashes instead of quotes: within single quotes fish interprets backslashes, and csh exclamation marks.
function quoteWord(word: string): string {
  if (/\p{Cc}/u.test(word))
    throw new Error(`${JSON.stringify(word)} has a control character, which some shells cannot pass on`);
  return word === "" ? "''" : word.replace(/[^\w./:,@+\x80-\uffff-]/g, "\\$&");
}
