import { checksOn, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

// Before, a cgroup at its memory.high may stall forever (kubernetes pkg/util/kernel/constants.go,
// MemoryQoSMinKernelVersion).
const MIN_RELEASE_FOR_MEMORY_HIGH = "5.9";

/** Requires a kernel on which memory.high is safe: it makes the kernel swap before the kubelet evicts. */
export const kernel = check({
  id: "kernel",
  needs: ["kernelRelease"],
  right: `Linux ${MIN_RELEASE_FOR_MEMORY_HIGH} or newer: on older ones, memory.high, which makes pods swap before the kubelet evicts, may stall pods forever`,
  judge: ({ kernelRelease }) =>
    isAtLeast(kernelRelease, MIN_RELEASE_FOR_MEMORY_HIGH)
      ? ok(`Linux ${kernelRelease}`)
      : warning(`Linux ${kernelRelease}`, "swapReach: Off for wasp agent"),
});

/** Returns true if a kernel release is at least a version; both begin with two numbers. */
export function isAtLeast(release: string, version: string): boolean {
  const [[major = 0, minor = 0], [minMajor = 0, minMinor = 0]] = [numbersOf(release), numbersOf(version)];
  return major > minMajor || (major === minMajor && minor >= minMinor);
}

function numbersOf(version: string): number[] {
  return version.split(/[.-]/, 2).map(Number);
}
