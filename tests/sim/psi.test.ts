import { describe, expect, test } from "bun:test";
import { stallOf, type ThreadTime } from "./psi.ts";
import { Random } from "./random.ts";

const THRASHING: ThreadTime = { runnable: 0.3, stalled: 0.69 };
const BURNING: ThreadTime = { runnable: 1, stalled: 0 };

/** Two pods that thrash beside pods that only compute: the mean `full` of one of the two, and of all. */
function fullBeside(burners: number, cpus = 2): { own: number; all: number } {
  const random = new Random(1);
  const groups = [[THRASHING], [THRASHING], ...Array.from({ length: burners }, () => [BURNING])];
  let [own, all] = [0, 0];
  const periods = 2000;
  for (let period = 0; period < periods; period += 1) {
    const stalls = stallOf(groups, cpus, random);
    own += (stalls.groups[0]?.full ?? 0) / periods;
    all += stalls.all.full / periods;
  }
  return { own, all };
}

// Measured on 2 CPUs: 69 % of kubepods with two that thrash alone, 19 % beside two burners, 5 % beside six, and each
// pod's own 51 to 69 % in all three.
describe("pressure stall information", () => {
  test("all of the pods are stalled when nobody else computes", () => {
    expect(fullBeside(0).all).toBeWithin(0.55, 0.75);
  });

  test("busy CPUs hide the stall of all pods, and not a pod's own", () => {
    const [alone, two, six] = [0, 2, 6].map((burners) => fullBeside(burners));
    expect(two?.all).toBeLessThan((alone?.all ?? 0) / 2);
    expect(six?.all).toBeLessThan(0.06);
    for (const { own } of [alone, two, six].filter((one) => one !== undefined))
      expect(own).toBeCloseTo(0.69, 5);
  });

  test("nobody who runs or waits is no stall", () => {
    expect(stallOf([[{ runnable: 0, stalled: 0 }]], 4, new Random(1)).all).toEqual({ some: 0, full: 0 });
  });
});
