import { checksOn } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

// Before, a cgroup at its memory.high may never come to its next instruction (kubernetes pkg/util/kernel/constants.go,
// MemoryQoSMinKernelVersion).
const LEAST_FOR_MEMORY_HIGH = "5.9";

/** The kernel is one on which memory.high may be set, which keeps swap within the pods' reach. */
export const kernel = check({
  id: "kernel",
  needs: ["kernelRelease"],
  right: `Linux ${LEAST_FOR_MEMORY_HIGH} or newer: on older ones memory.high, by which swap is kept within reach, may stop pods for good`,
  judge: ({ kernelRelease }) =>
    isAtLeast(kernelRelease, LEAST_FOR_MEMORY_HIGH)
      ? { severity: "ok", found: `Linux ${kernelRelease}` }
      : { severity: "warning", found: `Linux ${kernelRelease}`, remedy: "swapReach: Off for wasp agent" },
});

/** Whether a kernel's release is a version or a newer one; both begin with two numbers. */
export function isAtLeast(release: string, version: string): boolean {
  const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [numbersOf(release), numbersOf(version)];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function numbersOf(version: string): number[] {
  return version.split(/[.-]/, 2).map(Number);
}
