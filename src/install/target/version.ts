/** Returns true if a release, such as 6.12.48-amd64, is at least a version; both begin with two numbers. */
export function isAtLeast(release: string, version: string): boolean {
  const [[major = 0, minor = 0], [minMajor = 0, minMinor = 0]] = [numbersOf(release), numbersOf(version)];
  return major > minMajor || (major === minMajor && minor >= minMinor);
}

function numbersOf(version: string): number[] {
  return version.split(/[.-]/, 2).map(Number);
}
