import { describe, expect, test } from "bun:test";
import { loadInstallConfig } from "../../../src/config/install/knobs.ts";
import { runChecks } from "../../../src/install/check/all-checks.ts";
import type { KnownFacts } from "../../../src/install/check/facts.ts";
import { PARTS } from "../../../src/install/engine/part.ts";
import {
  EXIT_ERRORS,
  EXIT_SOUND,
  EXIT_WARNINGS,
  exitStatusOf,
  type Finding,
  type FindingId,
  type Severity,
} from "../../../src/install/finding/finding.ts";
import type { KubeletStarter } from "../../../src/install/kubelet/facts.ts";
import type { BlockStack, SwapArea } from "../../../src/install/swap/areas.ts";
import { GI } from "../../policy/eviction/snapshots.ts";
import { DROP_IN, FACT_NAMES, factsWith, HOOK, SOUND } from "./sound-facts.ts";

const ZRAM: SwapArea = { name: "/dev/zram0", medium: "zram", sizeBytes: 4 * GI, usedBytes: 0, priority: 100 };
const FILE: SwapArea = {
  name: "/var/lib/wasp/swapfile",
  medium: "file",
  sizeBytes: 4 * GI,
  usedBytes: 0,
  priority: -2,
};
const MEMORY: BlockStack = { disks: [], numbers: ["252:0"], isEncrypted: true };
const ON_ROOT: BlockStack = { disks: ["vda"], numbers: ["254:1", "254:0"], isEncrypted: false };

function swapsOn(...areas: readonly (readonly [SwapArea, BlockStack])[]): Partial<KnownFacts> {
  const swaps = areas.map(([area]) => area);
  const swapStacks = new Map(areas.map(([{ name }, stack]) => [name, stack]));
  return { swaps, swapStacks, swapsAtBoot: { paths: swaps.map(({ name }) => name), hasZramService: false } };
}

const { kubelet, pods, binary } = SOUND as Required<KnownFacts> & {
  readonly kubelet: NonNullable<KnownFacts["kubelet"]>;
  readonly pods: NonNullable<KnownFacts["pods"]>;
};

function highAt(memoryHighBytes: number): Partial<KnownFacts> {
  return { pods: { ...pods, kubepods: { ...pods.kubepods, memoryHighBytes } } };
}

function hooks(...files: readonly Partial<typeof HOOK>[]): Partial<KnownFacts> {
  return { hookFiles: files.map((file) => ({ ...HOOK, ...file })) };
}

const OWN = HOOK.definition as Extract<typeof HOOK.definition, { path: string }>;
const ETC = "/etc/containers/oci/hooks.d";
const RUN = "/run/containers/oci/hooks.d";

const LATER: Partial<KnownFacts> = { hookFolders: [HOOK.folder, ETC] };

const K3S: KubeletStarter = {
  name: "k3s",
  settings: { place: "kubelet-arg in /etc/rancher/k3s/config.yaml", as: "arguments" },
  unit: "k3s.service",
};

type Case = readonly [FindingId, string, Partial<KnownFacts>, Severity | "none", string];

// What is otherwise on a sound node: the rule, what is the matter, the facts, how bad it is, and words of what is found.
const CASES: readonly Case[] = [
  ["kernel", "the oldest that is new enough", { kernelRelease: "5.9.0" }, "ok", "Linux 5.9.0"],
  ["kernel", "older", { kernelRelease: "5.8.18-301.fc33" }, "warning", "Linux 5.8.18"],
  ["kernel", "much older", { kernelRelease: "4.18.0-553.el8" }, "warning", "Linux 4.18"],
  ["cgroup-version", "v1", { cgroupVersion: 1 }, "warning", "cgroup v1"],
  ["swap-controller", "swap is not accounted for", { canLimitSwap: false }, "error", "no cgroup has a limit"],
  ["pressure", "off", { pressure: { node: false, cgroups: undefined } }, "warning", "no pressure figures"],
  [
    "pressure",
    "turned off",
    { pressure: { node: false, cgroups: undefined }, kernelCommandLine: "ro psi=0 quiet" },
    "warning",
    "command line has psi=0",
  ],
  [
    "pressure",
    "not of cgroups",
    { pressure: { node: true, cgroups: false } },
    "warning",
    "none of its cgroups",
  ],
  ["pressure", "no cgroup to see", { pressure: { node: true, cgroups: undefined } }, "ok", "are there"],
  [
    "swap",
    "none",
    { swaps: [], swapsAtBoot: { paths: [], hasZramService: false } },
    "error",
    "no swap is on",
  ],
  [
    "swap",
    "turned off",
    { swaps: [], swapsAtBoot: { paths: ["/dev/vdc"], hasZramService: false } },
    "error",
    "no swap is on, and /dev/vdc is to be when the node starts",
  ],
  [
    "swap",
    "two",
    swapsOn([ZRAM, MEMORY], [FILE, ON_ROOT]),
    "ok",
    "/dev/zram0, 4 GiB; /var/lib/wasp/swapfile",
  ],
  ["swap-size", "half of memory", {}, "ok", "8 GiB of swap to 16 GiB of memory: overcommit 150%"],
  [
    "swap-size",
    "next to none",
    { memory: { memoryTotalBytes: 16 * GI, swapTotalBytes: GI / 2 } },
    "warning",
    "overcommit 103%",
  ],
  [
    "swap-size",
    "more than memory",
    { memory: { memoryTotalBytes: 16 * GI, swapTotalBytes: 20 * GI } },
    "note",
    "overcommit 225%",
  ],
  ["swap-size", "no swap", { swaps: [] }, "none", ""],
  [
    "swap-after-boot",
    "by nothing",
    { swapsAtBoot: { paths: ["/dev/vdc"], hasZramService: true } },
    "warning",
    "nothing turns /dev/dm-0 on",
  ],
  [
    "swap-after-boot",
    "memory, by a service",
    { ...swapsOn([ZRAM, MEMORY]), swapsAtBoot: { paths: [], hasZramService: true } },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "memory, by nothing",
    { ...swapsOn([ZRAM, MEMORY]), swapsAtBoot: { paths: [], hasZramService: false } },
    "warning",
    "nothing turns /dev/zram0 on",
  ],
  ["swap-after-boot", "no swap", { swaps: [] }, "none", ""],
  [
    "swap-disk",
    "the root's",
    swapsOn([FILE, ON_ROOT]),
    "note",
    "swapfile is on vda, as the root file system is",
  ],
  ["swap-disk", "memory", swapsOn([ZRAM, MEMORY]), "ok", ""],
  ["swap-disk", "no swap", { swaps: [] }, "none", ""],
  [
    "swap-encryption",
    "clear",
    swapsOn([FILE, ON_ROOT]),
    "warning",
    "no dm-crypt below /var/lib/wasp/swapfile",
  ],
  ["swap-encryption", "memory", swapsOn([ZRAM, MEMORY]), "ok", ""],
  ["swap-encryption", "one of two", swapsOn([ZRAM, MEMORY], [FILE, ON_ROOT]), "warning", "below /var/lib"],
  ["swap-encryption", "no swap", { swaps: [] }, "none", ""],
  ["swap-priority", "one alone", {}, "none", ""],
  [
    "swap-priority",
    "memory first",
    swapsOn([ZRAM, MEMORY], [FILE, ON_ROOT]),
    "ok",
    "/dev/zram0 at priority 100",
  ],
  [
    "swap-priority",
    "disk first",
    swapsOn([{ ...ZRAM, priority: -3 }, MEMORY], [FILE, ON_ROOT]),
    "warning",
    "/dev/zram0 at priority -3",
  ],
  [
    "swap-priority",
    "two disks as one",
    swapsOn(
      [FILE, ON_ROOT],
      [
        { ...FILE, name: "/dev/vdb" },
        { ...ON_ROOT, disks: ["vdb"] },
      ],
    ),
    "note",
    "the slower of vda and vdb",
  ],
  [
    "swap-priority",
    "two of one disk as one",
    swapsOn([FILE, ON_ROOT], [{ ...FILE, name: "/swap2" }, ON_ROOT]),
    "ok",
    "/swap2 at priority -2",
  ],
  ["zswap", "on, before a disk", { isZswapOn: true }, "note", "still in memory, compressed"],
  [
    "zswap",
    "on, before zram",
    { isZswapOn: true, ...swapsOn([ZRAM, MEMORY]) },
    "warning",
    "compressed twice",
  ],
  ["swappiness", "0", { swappiness: 0 }, "warning", "vm.swappiness is 0"],
  ["swappiness", "1", { swappiness: 1 }, "ok", "vm.swappiness is 1"],
  ["tmpfs-noswap", "a new kernel", { hasNoswapMount: false }, "ok", "6.12"],
  [
    "tmpfs-noswap",
    "brought to an old kernel",
    { kernelRelease: "5.14.0-570.el9" },
    "ok",
    "mounted with noswap",
  ],
  [
    "tmpfs-noswap",
    "an old kernel",
    { kernelRelease: "6.3.9", hasNoswapMount: false, ...swapsOn([FILE, ON_ROOT]) },
    "warning",
    "secrets may be swapped out",
  ],
  [
    "tmpfs-noswap",
    "an old kernel, but swap is encrypted",
    { kernelRelease: "5.14.0", hasNoswapMount: false },
    "note",
    "secrets may be swapped out",
  ],
  ["runtime", "containerd", { runtime: "containerd" }, "ok", "containerd; NRI is off"],
  ["nri", "off, and not needed", {}, "none", ""],
  ["nri", "off", { runtime: "containerd" }, "warning", "NRI is off"],
  ["nri", "on", { runtime: "containerd", isNriOn: true }, "warning", "no plugin of containerd's"],
  ["nri", "used", { runtime: "containerd", isNriOn: true, nriPluginPid: 7 }, "ok", "pid 7"],
  ["nri", "used where it need not be", { isNriOn: true, nriPluginPid: 7 }, "ok", "pid 7"],
  ["runtime", "none", { runtime: undefined }, "unknown", "neither"],
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
  ["binary", "of an image", { binary: { ...binary, run: undefined } }, "ok", "is there"],
  ...(
    [
      [{ uid: 1000 }, "/usr/local is owned by user 1000"],
      [{ mode: 0o1777 }, "/usr/local is writable by everybody"],
      [{ gid: 50, mode: 0o2775 }, "/usr/local is writable by group 50"],
    ] as const
  ).flatMap(([change, found]): Case[] => {
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
    "root's alone",
  ],
  ["binary-owner", "not there", { binary: { ...binary, owned: [] } }, "none", ""],
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
    "without its executable",
    hooks({ hasExecutable: false }),
    "error",
    "/usr/local/bin/wasp is not there",
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
    "whoever is in a group",
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
    `${ETC}/wasp-swap.json takes the place of ${HOOK.folder}/wasp-swap.json`,
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
  [
    "system-slice",
    "may swap",
    { systemSlice: { swapMax: "max", ioLatency: "" } },
    "warning",
    "system.slice is max",
  ],
  ["system-slice", "none", { systemSlice: undefined }, "none", ""],
  ["system-slice-after-boot", "no file", { systemSliceFiles: [] }, "warning", "no file of system.slice"],
  [
    "system-slice-after-boot",
    "undone by a later file",
    {
      systemSliceFiles: [
        DROP_IN,
        { path: "/etc/systemd/system/system.slice.d/90.conf", text: "[Slice]\nMemorySwapMax=1G" },
      ],
    },
    "warning",
    "MemorySwapMax=1G in /etc/systemd/system/system.slice.d/90.conf",
  ],
  [
    "system-slice-after-boot",
    "taken back",
    {
      systemSliceFiles: [
        DROP_IN,
        { path: "/etc/systemd/system/system.slice.d/90.conf", text: "[Slice]\nMemorySwapMax=" },
      ],
    },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "in another section",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Unit]\nMemorySwapMax=0" }] },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "in a comment",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Slice]\n#MemorySwapMax=0\n; MemorySwapMax=0" }] },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "until the next start",
    {
      systemSliceFiles: [
        { ...DROP_IN, path: "/run/systemd/system.control/system.slice.d/50-MemorySwapMax.conf" },
      ],
    },
    "warning",
    "gone after a restart of the node",
  ],
  [
    "system-slice-after-boot",
    "spelled with blanks and a unit",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Slice]\r\n  MemorySwapMax = 0% \n" }] },
    "ok",
    "MemorySwapMax=0%",
  ],
  [
    "io-latency",
    "not to be had",
    { systemSlice: { swapMax: "0", ioLatency: undefined } },
    "warning",
    "has no io.latency",
  ],
  [
    "io-latency",
    "not set",
    { systemSlice: { swapMax: "0", ioLatency: "" } },
    "warning",
    "no io.latency target",
  ],
  [
    "io-latency",
    "set for another disk",
    { systemSlice: { swapMax: "0", ioLatency: "254:0 target=50000\n" } },
    "warning",
    "for what /dev/dm-0 is on",
  ],
  [
    "io-latency",
    "off",
    { systemSlice: { swapMax: "0", ioLatency: "254:16 target=0\n" } },
    "warning",
    "no io.latency",
  ],
  ["io-latency", "swap in memory", swapsOn([ZRAM, MEMORY]), "none", ""],
  ["io-latency", "no swap", { swaps: [] }, "none", ""],
  ["io-latency", "no slice", { systemSlice: undefined }, "none", ""],
  [
    "io-latency-after-boot",
    "no file",
    { systemSliceFiles: [] },
    "warning",
    "no file of system.slice that lasts",
  ],
  [
    "io-latency-after-boot",
    "until the next start",
    { systemSliceFiles: [{ ...DROP_IN, path: "/run/systemd/system/system.slice.d/a.conf" }] },
    "warning",
    "no file of system.slice that lasts",
  ],
  [
    "io-latency-after-boot",
    "swap in memory",
    { ...swapsOn([ZRAM, MEMORY]), systemSliceFiles: [] },
    "none",
    "",
  ],
  ["kubelet", "none", { kubelet: undefined, kubeletPid: undefined }, "unknown", "no kubelet runs here"],
  [
    "kubelet",
    "not running",
    { kubeletPid: undefined },
    "warning",
    "no kubelet runs; its settings are taken from /var",
  ],
  [
    "kubelet-fail-swap-on",
    "true",
    { kubelet: { ...kubelet, failSwapOn: true } },
    "error",
    "failSwapOn is true",
  ],
  ["kubelet-fail-swap-on", "no kubelet", { kubelet: undefined }, "none", ""],
  [
    "kubelet-swap-behavior",
    "spelled out",
    { kubelet: { ...kubelet, swapBehavior: "NoSwap" } },
    "ok",
    "is NoSwap",
  ],
  [
    "kubelet-swap-behavior",
    "its own",
    { kubelet: { ...kubelet, swapBehavior: "LimitedSwap" } },
    "warning",
    "LimitedSwap",
  ],
  ["kubelet-swap-behavior", "no kubelet", { kubelet: undefined }, "none", ""],
  [
    "restart",
    "after a change",
    {
      changedSinceStart: [
        { service: "crio", path: "/etc/crio/crio.conf.d/50-wasp.conf" },
        { service: "kubelet", path: "/etc/kubernetes/kubelet.conf" },
      ],
    },
    "warning",
    "50-wasp.conf is newer than crio's start",
  ],
  ["swap-reach", "held", {}, "ok", "memory.high of kubepods is 2.6 GiB; the kubelet evicts from 2.7 GiB on"],
  [
    "swap-reach",
    "not held",
    highAt(Number.POSITIVE_INFINITY),
    "warning",
    "memory.high of kubepods is max; the kubelet evicts from 2.7 GiB on",
  ],
  ["swap-reach", "held too high", highAt(2890 * 2 ** 20), "warning", "is 2.8 GiB"],
  [
    "swap-reach",
    "no threshold",
    {
      ...highAt(Number.POSITIVE_INFINITY),
      kubelet: { ...kubelet, thresholds: { hard: undefined, soft: undefined, enforcesPods: true } },
    },
    "ok",
    "evicts nobody",
  ],
  [
    "swap-reach",
    "a threshold that cannot be read",
    { kubelet: { ...kubelet, thresholds: undefined } },
    "unknown",
    "cannot be read",
  ],
  ["swap-reach", "no pods", { pods: undefined }, "none", ""],
  ["swap-reach", "no swap", { swaps: [] }, "none", ""],
  ["agent", "none", { agentPid: undefined }, "warning", "no agent runs"],
  [
    "agent",
    "none, and nothing else gives limits",
    { agentPid: undefined, runtime: "containerd" },
    "error",
    "no agent runs",
  ],
  [
    "agent",
    "none, and a plugin gives limits",
    { agentPid: undefined, runtime: "containerd", nriPluginPid: 7 },
    "warning",
    "no agent runs",
  ],
  [
    "wasp-agent",
    "its hook, loaded",
    { hookFolders: [HOOK.folder, RUN], ...hooks({}, { folder: RUN, name: "swap-for-burstable.json" }) },
    "error",
    `${RUN}/swap-for-burstable.json`,
  ],
  [
    "wasp-agent",
    "its hook, left over",
    hooks({}, { folder: RUN, name: "swap-for-burstable.json" }),
    "warning",
    RUN,
  ],
  ["systemd-oomd", "minds its own", { oomd: { killsForSwap: [] } }, "ok", "told of no slice of pods"],
  [
    "systemd-oomd",
    "kills for swap",
    { oomd: { killsForSwap: [{ unit: "-.slice", path: "/usr/lib/systemd/system/-.slice.d/10-oomd.conf" }] } },
    "warning",
    "ManagedOOMSwap=kill for -.slice",
  ],
  ["earlyoom", "runs", { earlyoomPids: [77] }, "warning", "pid 77"],
];

function findingOf(id: FindingId, facts: Partial<KnownFacts>): Finding | undefined {
  return runChecks(factsWith(facts)).find((finding) => finding.id === id);
}

describe("what is found on a node", () => {
  test("nothing to find fault with", () => {
    const severities = runChecks(factsWith({})).map(({ id, severity }) => [id, severity]);
    expect(severities.filter(([, severity]) => severity !== "ok")).toEqual([]);
    expect(severities.length).toBeGreaterThan(25);
  });

  test.each(CASES)("%s: %s", (id, _, facts, severity, words) => {
    const finding = findingOf(id, facts);
    expect(finding?.severity ?? "none").toBe(severity);
    expect(finding?.found ?? "").toContain(words);
  });

  test("each rule has a case in which it finds fault", () => {
    const faulted = new Set(CASES.filter(([, , , severity]) => severity !== "ok").map(([id]) => id));
    expect(runChecks(factsWith(SWAPS_OF_ALL_KINDS)).filter(({ id }) => !faulted.has(id))).toEqual([]);
  });

  test("there is a remedy for whatever is wrong", () => {
    const found = CASES.flatMap(([id, , facts]) => findingOf(id, facts) ?? []);
    const wrong = found.filter(({ severity }) => severity === "error" || severity === "warning");
    expect(wrong.filter(({ remedy }) => remedy === undefined)).toEqual([]);
  });

  test.each<[string, Partial<typeof kubelet>, string]>([
    ["reads drop-ins", {}, "wasp install --only kubelet --restart"],
    [
      "reads none",
      { readsDropIns: false },
      "set failSwapOn: false in /var/lib/kubelet/config.yaml, then: systemctl restart kubelet",
    ],
    [
      "has a flag for it",
      { isFailSwapOnFlag: true },
      "take --fail-swap-on away from what it is started with, then: systemctl restart kubelet",
    ],
    ["is a part of k3s", { startedBy: K3S }, "wasp install --only kubelet, then: systemctl restart k3s"],
    [
      "is a part of a k3s without drop-ins",
      { startedBy: K3S, readsDropIns: false },
      "set fail-swap-on=false in kubelet-arg in /etc/rancher/k3s/config.yaml, then: systemctl restart k3s",
    ],
  ])("a kubelet that does not start with swap is mended where it %s", (_, facts, remedy) => {
    const failing = { ...kubelet, failSwapOn: true, ...facts };
    expect(findingOf("kubelet-fail-swap-on", { kubelet: failing })?.remedy).toBe(remedy);
  });

  test("the commands of wasp that are recommended are such as it has", () => {
    const remedies = CASES.flatMap(([id, , facts]) => findingOf(id, facts)?.remedy ?? []);
    const commands = remedies.flatMap((remedy) => remedy.match(/wasp install[^,;:]*/g) ?? []);
    expect(commands.length).toBeGreaterThan(10);
    for (const command of new Set(commands)) expect(command).toMatch(INSTALL);
    const others = commands.filter((command) => !command.includes("--only swap"));
    expect(others.length).toBeGreaterThan(5);
    for (const command of others)
      expect(() => loadInstallConfig(command.trim().split(" ").slice(2))).not.toThrow();
  });
});

const SWAPS_OF_ALL_KINDS = swapsOn([ZRAM, MEMORY], [FILE, ON_ROOT]);
const INSTALL = new RegExp(
  `^wasp install --only (${PARTS.join("|")})( --only cri-o)?( --zram)?( --overcommit \\d+%)?( --swap-device DEVICE --encrypt)?( --restart)?$`,
);

describe("what is not known", () => {
  test.each(FACT_NAMES)("%s is never taken for sound", (name) => {
    const reason = "open /x: Permission denied";
    const facts = { ...factsWith(SWAPS_OF_ALL_KINDS), [name]: { unknown: reason } };
    const changed = runChecks(facts).filter(({ found }) => found === reason);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter(({ severity }) => severity !== "unknown")).toEqual([]);
    expect(exitStatusOf(changed)).toBe(EXIT_WARNINGS);
  });

  test("several facts are told of at once, and one reason once", () => {
    const facts = {
      ...factsWith({}),
      swaps: { unknown: "a" },
      swapStacks: { unknown: "a" },
      rootStack: { unknown: "b" },
    };
    expect(runChecks(facts).find(({ id }) => id === "swap-disk")?.found).toBe("a; b");
  });

  test("what only a host that runs has is left out for an image", () => {
    const running = FACT_NAMES.filter((name) => !["hookFiles", "hookFolders", "runtime"].includes(name));
    const facts = { ...factsWith({}), ...Object.fromEntries(running.map((name) => [name, "only-running"])) };
    expect(runChecks(facts).map(({ id }) => id)).toEqual([
      "hook",
      "hook-owner",
      "hook-loaded",
      "hooks-valid",
      "wasp-agent",
    ]);
  });
});

describe("the exit status", () => {
  const all: readonly (readonly [readonly Severity[], number])[] = [
    [[], EXIT_SOUND],
    [["ok", "note"], EXIT_SOUND],
    [["ok", "unknown"], EXIT_WARNINGS],
    [["warning", "note"], EXIT_WARNINGS],
    [["warning", "error", "unknown"], EXIT_ERRORS],
  ];
  test.each(all)("of %j is %d", (severities, status) => {
    const finding = { id: "swap", found: "", right: "", remedy: undefined } as const;
    expect(exitStatusOf(severities.map((severity) => ({ ...finding, severity })))).toBe(status);
  });
});
