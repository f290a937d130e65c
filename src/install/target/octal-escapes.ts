/** Decodes the octal escapes of /proc/swaps, mountinfo and fstab: `\040` is a space. */
export function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
