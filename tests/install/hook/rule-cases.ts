import type { KnownFacts } from "../../../src/install/check/facts.ts";
import { ETC, hooks, RUN, type RuleCase } from "../check/rule-case.ts";
import { HOOK } from "../check/sound-facts.ts";

const OWN = HOOK.definition as Extract<typeof HOOK.definition, { path: string }>;
const LATER: Partial<KnownFacts> = { hookFolders: [HOOK.folder, ETC] };

/** Cases of the rules on the hook. */
export const HOOK_CASES: readonly RuleCase[] = [
  ["hook", "none", { hookFiles: [] }, "error", "no hook runs wasp"],
  [
    "hook",
    "another's alone",
    hooks({ name: "nvidia.json", definition: { ...OWN, path: "/usr/bin/nvidia", args: ["nvidia"] } }),
    "error",
    "no hook runs wasp",
  ],
  ["hook", "by another name", hooks({ name: "50-swap.json" }), "ok", "/50-swap.json"],
  [
    "hook",
    "invalid",
    hooks({ definition: { complaints: ["not JSON: x"] } }),
    "error",
    "wasp-swap.json: not JSON: x",
  ],
  [
    "hook",
    "without its shell",
    hooks({ hasExecutable: false }),
    "error",
    "/bin/sh is not there, so the runtime silently ignores it",
  ],
  [
    "hook",
    "without wasp",
    hooks({ hasWasp: false }),
    "error",
    "it runs /usr/local/bin/wasp, which is not there: containers start without wasp's limit",
  ],
  [
    "hook",
    "of an earlier wasp, without a guard",
    hooks({ definition: { ...OWN, path: "/usr/local/bin/wasp", args: ["wasp", "hook"] } }),
    "warning",
    "wasp-swap.json: it runs wasp without its guard",
  ],
  [
    "hook",
    "with flags",
    hooks({ definition: { ...OWN, args: [...OWN.args, "--swap-behavior", "NoSwap"] } }),
    "ok",
    "",
  ],
  [
    "hook",
    "another's shell",
    hooks({
      name: "a.json",
      definition: { ...OWN, args: ["sh", "-c", "echo", "wasp-guard", "/bin/wasp", "agent"] },
    }),
    "error",
    "no hook runs wasp",
  ],
  ["hook", "that never runs", hooks({ definition: { ...OWN, canRun: false } }), "error", "never hold"],
  [
    "hook",
    "too late",
    hooks({ definition: { ...OWN, stages: ["poststart"] } }),
    "error",
    "it runs at poststart",
  ],
  [
    "hook",
    "prestart, which is createRuntime",
    hooks({ definition: { ...OWN, stages: ["prestart"] } }),
    "ok",
    "",
  ],
  ["hook", "under containerd", { runtime: "containerd", hookFiles: [] }, "none", ""],
  [
    "hook",
    "another's, in its place",
    { ...LATER, ...hooks({}, { folder: ETC, definition: { ...OWN, path: "/bin/true", args: ["true"] } }) },
    "error",
    'it runs /bin/true with ["true"], not wasp hook',
  ],
  [
    "hook",
    "in place of one that never runs",
    { ...LATER, ...hooks({ definition: { ...OWN, canRun: false } }, { folder: ETC }) },
    "ok",
    `${ETC}/wasp-swap.json`,
  ],
  [
    "hooks-valid",
    "wasp's own, invalid, hidden by a later one",
    { ...LATER, ...hooks({ definition: { complaints: ["not JSON"] } }, { folder: ETC }) },
    "error",
    `${HOOK.folder}/wasp-swap.json: not JSON`,
  ],
  [
    "hook-owner",
    "writable by a group",
    hooks({ owned: [{ path: HOOK.folder, uid: 0, gid: 100, mode: 0o775 }] }),
    "error",
    `${HOOK.folder} is writable by group 100`,
  ],
  ["hook-owner", "of one that is not loaded", hooks({ folder: RUN }), "none", ""],
  ["hook-loaded", "elsewhere", hooks({ folder: RUN }), "error", "not in a folder of hooks_dir"],
  ["hook-loaded", "none", { hookFiles: [] }, "none", ""],
  ["hook-loaded", "under containerd", { runtime: "containerd" }, "none", ""],
  [
    "hook-loaded",
    "in place of an older one",
    { hookFolders: [HOOK.folder, ETC], ...hooks({}, { folder: ETC }) },
    "note",
    `${ETC}/wasp-swap.json replaces ${HOOK.folder}/wasp-swap.json`,
  ],
  [
    "hook",
    "turned off by one of its name in a later folder",
    { hookFolders: [HOOK.folder, ETC], ...hooks({}, { folder: ETC, definition: { ...OWN, canRun: false } }) },
    "error",
    `${ETC}/wasp-swap.json: its conditions never hold`,
  ],
  [
    "hook-loaded",
    "twice",
    hooks({}, { name: "50-swap.json" }),
    "warning",
    "wasp runs twice for each container",
  ],
  [
    "hooks-valid",
    "another's is invalid",
    hooks({}, { name: "a.json", definition: { complaints: ["stages is missing"] } }),
    "error",
    "/a.json: stages is missing",
  ],
  [
    "hooks-valid",
    "another's, where CRI-O does not look",
    hooks({}, { folder: RUN, name: "a.json", definition: { complaints: ["stages is missing"] } }),
    "ok",
    "all are valid",
  ],
  ["hooks-valid", "under containerd", { runtime: "containerd" }, "none", ""],
];
