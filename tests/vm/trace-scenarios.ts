/**
 * Scenarios that tests/vm/traces.ts records. All pods together may have HIGH_MIB of memory, of which OTHERS_MIB are used by
 * the neighbours and by the programs themselves; a hog's memory beyond the rest is swapped out.
 */

/** A pod's name, and its steps of trace-load.pl. */
export interface ScenarioPod {
  readonly name: string;
  readonly steps: readonly string[];
  /** Part of its memory that is swapped out before the recording, in MiB. */
  readonly swappedOutMiB?: number;
}

/** Events of a recording, and the expected judgement. */
export interface Scenario {
  readonly name: string;
  /** Pods in addition to the neighbours. */
  readonly pods: readonly ScenarioPod[];
  readonly seconds: number;
  /** Size of the node's swap; by default the image's. */
  readonly swapMiB?: number;
  /** True if the pods may not swap. */
  readonly withoutSwap?: true;
  /** Pods that cause the harm, any of which may be evicted. It begins when the last of them reports it. */
  readonly victims: readonly string[];
  readonly note: string;
}

/** memory.high of kubepods.slice. */
export const HIGH_MIB = 700;
/** memory.max of kubepods.slice. */
export const MAX_MIB = 900;

/** Three pods that continuously use a little memory. */
export const NEIGHBOURS: readonly ScenarioPod[] = [1, 2, 3].map((number) => ({
  name: `neighbour-${number}`,
  steps: ["grow:50:100", "touch:50:3:0.5", "ready", "touch:50:1e6:0.5"],
}));

const OTHERS_MIB = 200;
const ROOM_MIB = HIGH_MIB - OTHERS_MIB;
const LITTLE_SWAP_MIB = 256;
const FOREVER = 1e6;

/** Scenarios, the most distinctive first. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "idle",
    pods: [{ name: "hog", steps: ["grow:100:100", "ready"] }],
    seconds: 40,
    victims: [],
    note: "everybody fits, and nothing moves",
  },
  {
    name: "thrash-by-one",
    pods: [
      {
        name: "hog",
        steps: [
          ...["grow:200:100", "ready", "sleep:8", `grow:${ROOM_MIB}:150`, "harm"],
          ...[`grow:${ROOM_MIB + 300}:200`, `touch:${ROOM_MIB + 300}:${FOREVER}:0`],
        ],
      },
    ],
    seconds: 55,
    victims: ["hog"],
    note: "from here on the hog uses 300 MiB more than fits, all the time",
  },
  {
    name: "cold-memory-swapped-out",
    pods: [
      { name: "cold", steps: [`grow:${ROOM_MIB - 100}:150`, "ready"] },
      { name: "hog", steps: ["grow:80:100", "ready", "sleep:8", "grow:300:60", `touch:300:${FOREVER}:0.5`] },
    ],
    seconds: 50,
    victims: [],
    note: "the hog's memory takes the place of memory that nobody uses, once",
  },
  {
    name: "swap-exhausted",
    pods: [
      {
        name: "hog",
        steps: [
          ...["grow:200:100", "ready", "sleep:8", `grow:${ROOM_MIB + LITTLE_SWAP_MIB}:300`, "harm"],
          ...["grow:1500:300"],
        ],
      },
    ],
    seconds: 50,
    swapMiB: LITTLE_SWAP_MIB,
    victims: ["hog"],
    note: "from here on the hog wants more than memory and swap together: nothing moves, and everybody waits",
  },
  {
    name: "page-cache-thrash",
    pods: [{ name: "hog", steps: ["grow:250:100", "ready", "sleep:8", `read:/root/large:${FOREVER}`] }],
    seconds: 45,
    withoutSwap: true,
    victims: [],
    note: "a file that does not fit is read again and again; no swap moves, and swap is not why anybody waits",
  },
  {
    name: "burst-after-idling",
    pods: [
      {
        name: "hog",
        steps: ["grow:350:100", "ready", "sleep:10", `touch:350:${FOREVER}:0.5`],
        swappedOutMiB: 300,
      },
    ],
    seconds: 45,
    victims: [],
    note: "memory that was swapped out is used again, and all of it fits",
  },
  {
    name: "short-spike",
    pods: [
      {
        name: "hog",
        steps: [
          ...["grow:300:100", "ready", "sleep:10", `grow:${ROOM_MIB + 200}:300`],
          ...[`touch:${ROOM_MIB + 200}:4:0`, "shrink:300", `touch:300:${FOREVER}:0.5`],
        ],
      },
    ],
    seconds: 45,
    victims: [],
    note: "for some seconds the hog uses 200 MiB more than fits, and then no more",
  },
  {
    name: "swap-full-but-quiet",
    pods: [
      { name: "cold", steps: ["grow:400:150", "ready"], swappedOutMiB: LITTLE_SWAP_MIB },
      { name: "hog", steps: ["grow:150:100", "ready", `touch:150:${FOREVER}:0.5`] },
    ],
    seconds: 40,
    swapMiB: LITTLE_SWAP_MIB,
    victims: [],
    note: "swap is full of memory that nobody uses, and everything else fits",
  },
  {
    name: "thrash-by-two",
    pods: ["hog", "other-hog"].map((name) => ({
      name,
      steps: [
        ...["grow:100:100", "ready", "sleep:8", `grow:${ROOM_MIB / 2}:100`, "harm"],
        ...[`grow:${ROOM_MIB / 2 + 150}:100`, `touch:${ROOM_MIB / 2 + 150}:${FOREVER}:0`],
      ],
    })),
    seconds: 50,
    victims: ["hog", "other-hog"],
    note: "from here on each of two hogs uses 150 MiB more than fits, all the time",
  },
  {
    name: "slow-leak",
    pods: [
      {
        name: "hog",
        steps: [
          ...["grow:300:100", "ready", "sleep:5", `grow:${ROOM_MIB + LITTLE_SWAP_MIB}:16`, "harm"],
          ...["grow:1500:16"],
        ],
      },
    ],
    seconds: 70,
    swapMiB: LITTLE_SWAP_MIB,
    victims: ["hog"],
    note: "from here on what the hog has leaked exceeds memory and swap together; none of it is used",
  },
  {
    name: "tmpfs-fills",
    pods: [
      {
        name: "hog",
        steps: [
          ...["grow:20:100", "ready", "sleep:5", `fill:/run/fill/file:${ROOM_MIB - 20 + LITTLE_SWAP_MIB}:30`],
          ...["harm", "fill:/run/fill/file:700:30"],
        ],
      },
    ],
    seconds: 65,
    swapMiB: LITTLE_SWAP_MIB,
    victims: ["hog"],
    note: "from here on what the hog has written to a tmpfs exceeds memory and swap together",
  },
];
