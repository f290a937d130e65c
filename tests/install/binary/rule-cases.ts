import type { RuleCase } from "../check/rule-case.ts";
import { SOUND } from "../check/sound-facts.ts";

const { binary } = SOUND;

/** Cases of the rules on the executable. */
export const BINARY_CASES: readonly RuleCase[] = [
  [
    "binary",
    "not there, and no hook to run it",
    { binary: { ...binary, owned: [], run: undefined }, runtime: "containerd" },
    "none",
    "",
  ],
  ["binary", "not there", { binary: { ...binary, owned: [], run: undefined } }, "error", "is not there"],
  [
    "binary",
    "does not run",
    { binary: { ...binary, run: { failure: "wasp: exit status 127: GLIBC_2.17 not found" } } },
    "error",
    "GLIBC_2.17 not found",
  ],
  ["binary", "in an image", { binary: { ...binary, run: undefined } }, "ok", "is installed"],
  ...(
    [
      [{ uid: 1000 }, "/usr/local is owned by user 1000"],
      [{ mode: 0o1777 }, "/usr/local is writable by everybody"],
      [{ gid: 50, mode: 0o2775 }, "/usr/local is writable by group 50"],
    ] as const
  ).flatMap(([change, found]): RuleCase[] => {
    const owned = binary.owned.map((one) => (one.path === "/usr/local" ? { ...one, ...change } : one));
    const facts = { binary: { ...binary, owned, run: undefined } };
    return [
      ["binary-owner", found, facts, "error", found],
      ["binary", `not run as ${found}`, facts, "unknown", "was not run"],
    ];
  }),
  [
    "binary-owner",
    "writable by root's group",
    { binary: { ...binary, owned: binary.owned.map((one) => ({ ...one, mode: 0o775 })) } },
    "ok",
    "only root can change /usr/local/bin/wasp",
  ],
  ["binary-owner", "not there", { binary: { ...binary, owned: [] } }, "none", ""],
];
