import { describe, expect, test } from "bun:test";
import definition from "../../hooks.d/wasp-swap.json" with { type: "text" };
import { planBinary } from "../../src/install/binary/plan.ts";
import {
  type ContainerdFacts,
  NRI_LINES,
  type NriCompany,
  planContainerd,
} from "../../src/install/containerd/plan.ts";
import { type CrioFacts, placeHook, planCrio } from "../../src/install/crio/plan.ts";
import type { InstallOptions } from "../../src/install/engine/options.ts";
import { chooseParts, PARTS, type Part } from "../../src/install/engine/part.ts";
import type { PartPlan } from "../../src/install/engine/plan.ts";
import { planHook } from "../../src/install/hook/plan.ts";
import { DISTRIBUTIONS } from "../../src/install/kubelet/distribution.ts";
import { planKubelet } from "../../src/install/kubelet/plan.ts";
import type { KubeletFacts, KubeletStarter } from "../../src/install/kubelet/settings.ts";
import { heedKubelet, type SwapCircumstances } from "../../src/install/kubelet/swap-needs.ts";
import { planSystemSlice } from "../../src/install/system-slice/plan.ts";

const USR = "/usr/share/containers/oci/hooks.d";
const ETC = "/etc/containers/oci/hooks.d";
const HOOK = definition as unknown as string;

const options: InstallOptions = {
  binaryPath: "/usr/local/bin/wasp",
  evictionSoft: "Auto",
  restart: false,
  swap: { target: undefined, size: undefined, priority: undefined },
  ignoreKubelet: false,
};

const crio: CrioFacts = {
  isThere: true,
  hooksDirs: [USR],
  hooksDirsSetBy: undefined,
  isHooksDirFixed: false,
  dropInFolder: "/etc/crio/crio.conf.d",
  defaultRuntime: "crun",
  handlers: ["runc", "crun"],
  problems: [],
};

const kubelet: KubeletFacts = {
  isThere: true,
  startedBy: undefined,
  configFile: "/var/lib/kubelet/config.yaml",
  isConfigKnown: true,
  dropInFolder: "/etc/kubernetes/kubelet.conf.d",
  failSwapOn: undefined,
  failSwapOnNow: undefined,
  evictionSoft: undefined,
  failSwapOnFlag: undefined,
  limitsSwap: false,
  memoryTotalBytes: 64 * 2 ** 30,
  contradictedBy: undefined,
  problems: [],
};

/** The text of a plan's only file, without its head. */
function textOf({ steps }: PartPlan): string | undefined {
  const [file] = steps.filter((step) => step.kind === "file");
  return file?.text.split("\n").slice(1).join("\n");
}

describe("the parts that are meant", () => {
  test.each<[Part[], Part[], readonly Part[]]>([
    [[], [], PARTS],
    [["swap", "binary"], [], ["binary", "swap"]],
    [[], ["swap", "kubelet"], ["binary", "hook", "system-slice", "cri-o", "containerd"]],
    [["swap", "hook"], ["swap"], ["hook"]],
  ])("only %j, without %j", (only, skip, parts) => {
    expect(chooseParts(only, skip)).toEqual(parts);
  });
});

describe("the binary", () => {
  test("is not the interpreter of wasp's source", () => {
    expect(planBinary({ isCompiled: true }, options).refusals).toEqual([]);
    expect(planBinary({ isCompiled: false }, options).refusals).toEqual([expect.stringContaining("source")]);
  });
});

describe("the hook's folder", () => {
  test.each<[readonly string[], readonly string[], string, readonly string[] | undefined]>([
    [[USR], [USR, ETC], USR, undefined],
    [[USR], [ETC], ETC, [USR, ETC]],
    [[USR, ETC], [USR, ETC], USR, undefined],
    [[USR, ETC], [ETC], ETC, undefined],
    [["/opt/hooks"], ["/opt/hooks", USR, ETC], "/opt/hooks", undefined],
    [["/opt/hooks"], [USR, ETC], ETC, ["/opt/hooks", ETC]],
  ])("where CRI-O looks into %j and %j can be written", (hooksDirs, writable, folder, configured) => {
    const place = placeHook({ ...crio, hooksDirs }, (candidate) => writable.includes(candidate));
    expect(place).toEqual({ folder, hooksDirs: configured });
  });
});

describe("CRI-O", () => {
  const elsewhere = { folder: ETC, hooksDirs: [USR, ETC] };

  test("is left alone where it looks for the hook already, and is told of", () => {
    const { steps, notes } = planCrio(crio, { folder: USR, hooksDirs: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("the runtime crun; a RuntimeClass may ask for runc;")]);
  });

  test("is told of a further folder, and restarted if that is wanted", () => {
    const plan = planCrio(crio, elsewhere, options);
    expect(plan.steps).toHaveLength(1);
    expect(textOf(plan)).toBe(`[crio.runtime]\nhooks_dir = ["${USR}","${ETC}"]\n`);
    expect(plan.notes).toContainEqual(expect.stringContaining("once it is restarted"));
    const restarting = planCrio(crio, elsewhere, { ...options, restart: true });
    expect(restarting.steps[1]).toMatchObject({
      argv: ["systemctl", "restart", "crio.service"],
      when: "changed",
    });
    expect(restarting.notes).not.toContainEqual(expect.stringContaining("once it is restarted"));
  });

  test("that is configured over any drop-in cannot be told", () => {
    const facts = { ...crio, isHooksDirFixed: true, hooksDirsSetBy: "/etc/crio/crio.conf.d/99-hooks.conf" };
    const { steps, refusals } = planCrio(facts, elsewhere, options);
    expect(steps).toEqual([]);
    expect(refusals).toEqual([
      `/etc/crio/crio.conf.d/99-hooks.conf sets CRI-O's hooks_dir, over any drop-in of wasp's: add ${ETC} there`,
    ]);
  });

  test("that is not there has nothing done for it", () => {
    const plan = planCrio({ ...crio, isThere: false }, elsewhere, options);
    expect(plan).toEqual({ part: "cri-o", steps: [], refusals: [], notes: [] });
  });
});

describe("the hook", () => {
  const facts = { definition: HOOK, isBinaryThere: true, crio };
  const place = { folder: USR, hooksDirs: undefined };
  const company = { withBinary: true, withCrio: true };

  test("is the one of the repository", () => {
    const { steps, refusals, notes } = planHook(facts, place, options, company);
    expect(steps).toMatchObject([{ path: `${USR}/wasp-swap.json`, text: HOOK, mode: 0o644 }]);
    expect({ refusals, notes }).toEqual({ refusals: [], notes: [] });
  });

  test("names the binary wherever that is", () => {
    const binaryPath = '/opt/$& "wasp"';
    const [step] = planHook(facts, place, { ...options, binaryPath }, company).steps;
    expect(JSON.parse(step?.kind === "file" ? step.text : "").hook.path).toBe(binaryPath);
  });

  test("needs a binary, there or in the same run", () => {
    const missing = { ...facts, isBinaryThere: false };
    expect(planHook(missing, place, options, company).refusals).toEqual([]);
    const alone = planHook(missing, place, options, { ...company, withBinary: false });
    expect(alone.refusals).toEqual([expect.stringContaining("install the binary too")]);
  });

  test("has to be one that CRI-O loads", () => {
    const { refusals } = planHook({ ...facts, definition: '{"stages": []}' }, place, options, company);
    expect(refusals).toContain("the hook's definition: stages is missing: a list of at least one");
    const never = HOOK.replace(/"annotations": \{[^}]*\}/, "");
    expect(planHook({ ...facts, definition: never }, place, options, company).refusals).toEqual([
      "the hook's definition: its conditions never hold",
    ]);
  });

  test("tells what keeps it from being run", () => {
    const withoutCrio = planHook({ ...facts, crio: { ...crio, isThere: false } }, place, options, company);
    expect(withoutCrio.notes).toEqual([expect.stringContaining("there is no CRI-O on this host")]);
    const elsewhere = { folder: ETC, hooksDirs: [USR, ETC] };
    const alone = planHook(facts, elsewhere, options, { ...company, withCrio: false });
    expect(alone.notes).toEqual([expect.stringContaining(`its hooks_dir has to be ["${USR}","${ETC}"]`)]);
  });
});

describe("the kubelet", () => {
  const swap = "failSwapOn: false\n";
  const soft = (figure: string) =>
    `evictionSoft:\n  memory.available: "${figure}"\nevictionSoftGracePeriod:\n  memory.available: 10s\n`;

  test.each<[string, Partial<KubeletFacts>, Partial<InstallOptions>, string]>([
    ["a fresh one", {}, {}, swap + soft("1Gi")],
    ["of a small node", { memoryTotalBytes: 4 * 2 ** 30 }, {}, swap + soft("10%")],
    ["of an image", { memoryTotalBytes: undefined }, {}, swap + soft("1Gi")],
    ["with a threshold of its own", { evictionSoft: "500Mi" }, {}, swap],
    ["without a soft threshold", {}, { evictionSoft: "Off" }, swap],
    ["with a chosen threshold", {}, { evictionSoft: "2Gi" }, swap + soft("2Gi")],
    ["that has swap already", { failSwapOn: false }, {}, soft("1Gi")],
    ["started for swap", { failSwapOnFlag: false }, {}, soft("1Gi")],
    ["for which swap is an error", { failSwapOn: true }, {}, swap + soft("1Gi")],
  ])("%s", (_, facts, chosen, settings) => {
    const plan = planKubelet({ ...kubelet, ...facts }, { ...options, ...chosen });
    expect(plan.steps[0]).toMatchObject({ path: "/etc/kubernetes/kubelet.conf.d/50-wasp.conf" });
    expect(textOf(plan)).toBe(
      `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n${settings}`,
    );
    expect(plan.refusals).toEqual([]);
  });

  test("is left alone where all is set", () => {
    const plan = planKubelet({ ...kubelet, failSwapOn: false, evictionSoft: "1Gi" }, options);
    expect(plan).toEqual({ part: "kubelet", steps: [], refusals: [], notes: [] });
  });

  test("is restarted if that is wanted", () => {
    expect(planKubelet(kubelet, options).notes).toEqual([expect.stringContaining("once it is restarted")]);
    const { steps, notes } = planKubelet(kubelet, { ...options, restart: true });
    expect(steps[1]).toMatchObject({ argv: ["systemctl", "restart", "kubelet.service"], when: "changed" });
    expect(notes).toEqual([]);
  });

  test("without drop-ins has its file left to whoever writes it", () => {
    const { steps, notes } = planKubelet({ ...kubelet, dropInFolder: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([
      expect.stringMatching(/does not write \/var\/lib\/kubelet\/config.yaml: .*\nfailSwapOn: false\n/),
    ]);
  });

  test.each<[Partial<KubeletFacts>, string]>([
    [{ failSwapOnFlag: true }, "the kubelet is started with --fail-swap-on"],
    [{ contradictedBy: "/etc/k/99.conf" }, "/etc/k/99.conf sets failSwapOn: true"],
    [{ problems: ["/etc/k/10.conf is not YAML"] }, "/etc/k/10.conf is not YAML"],
  ])("with %j is refused", (facts, refusal) => {
    const plan = planKubelet({ ...kubelet, ...facts }, options);
    expect(plan.refusals).toEqual([expect.stringContaining(refusal)]);
  });
});

const [k3s, , microK8s, k0s] = DISTRIBUTIONS.map(
  (one): KubeletStarter => ({ ...one, unit: one.units[0] ?? "" }),
);

describe("the kubelet of a distribution", () => {
  test("is never restarted by wasp, for that restarts more", () => {
    const { steps, notes } = planKubelet({ ...kubelet, startedBy: k3s }, { ...options, restart: true });
    expect(steps).toMatchObject([{ kind: "file", path: "/etc/kubernetes/kubelet.conf.d/50-wasp.conf" }]);
    expect(notes).toEqual([expect.stringMatching(/once k3s is restarted: systemctl restart k3s.service$/)]);
  });

  test.each([
    [
      k3s,
      /^k3s .*kubelet-arg in \/etc\/rancher\/k3s\/config.yaml, and restart k3s.service:\nfail-swap-on=false\neviction-soft=memory.available<1Gi\neviction-soft-grace-period=memory.available=10s$/,
    ],
    [microK8s, /\/var\/snap\/microk8s\/current\/args\/kubelet, .*:\n--fail-swap-on=false\n--eviction-soft=/],
    [
      k0s,
      /spec.workerProfiles in k0s.yaml, and restart k0sworker.service:\nfailSwapOn: false\nevictionSoft:\n/,
    ],
  ])("without drop-ins is set up where %o says", (startedBy, words) => {
    const { steps, notes } = planKubelet({ ...kubelet, startedBy, dropInFolder: undefined }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(words)]);
  });
});

describe("swap", () => {
  const step = { kind: "command", part: "swap", argv: ["swapon"], when: "changed" } as const;
  const swap: PartPlan = { part: "swap", steps: [step], refusals: [], notes: ["larger"] };
  const alone = { withKubelet: false, hasSwap: false, ignoreKubelet: false };
  const withoutDropIns = { dropInFolder: undefined };
  const said = (value: boolean) => ({ failSwapOnNow: { value, setBy: "/etc/k.d/20.conf" } });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapCircumstances>]>([
    ["there is no kubelet", { isThere: false }, {}],
    ["its files allow swap", said(false), {}],
    ["its flags do", { ...said(true), failSwapOnFlag: false }, {}],
    ["it is told in the same run", said(true), { withKubelet: true }],
  ])("is set up where %s", (_, facts, circumstances) => {
    expect(heedKubelet(swap, { ...kubelet, ...facts }, { ...alone, ...circumstances })).toEqual(swap);
  });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapCircumstances>, string]>([
    [
      "nothing is said of it",
      withoutDropIns,
      { withKubelet: true },
      "set failSwapOn: false in /var/lib/kubelet/config.yaml, or say --ignore-kubelet",
    ],
    [
      "its part is left out",
      {},
      {},
      "in /var/lib/kubelet/config.yaml, or install the kubelet's part too, or say --ignore-kubelet",
    ],
    [
      "a file says so",
      { ...said(true), ...withoutDropIns },
      {},
      "set failSwapOn: false in /etc/k.d/20.conf, or say",
    ],
    ["a flag says so", { ...said(false), failSwapOnFlag: true }, {}, "take --fail-swap-on away"],
    [
      "MicroK8s has it so",
      { startedBy: microK8s, ...withoutDropIns },
      {},
      "set --fail-swap-on=false in /var/snap/microk8s/current/args/kubelet, or say",
    ],
  ])("is refused where the kubelet would not start, as %s", (_, facts, circumstances, words) => {
    const plan = heedKubelet(swap, { ...kubelet, ...facts }, { ...alone, ...circumstances });
    expect(plan.steps).toEqual([]);
    expect(plan.refusals).toEqual([expect.stringContaining(words)]);
  });

  test.each<[string, Partial<KubeletFacts>, Partial<SwapCircumstances>]>([
    ["somebody insists", {}, { ignoreKubelet: true }],
    ["there is swap already", {}, { hasSwap: true }],
    ["nobody can tell how it is to be configured", { isConfigKnown: false }, {}],
  ])("is set up with a warning where %s", (_, facts, circumstances) => {
    const plan = heedKubelet(swap, { ...kubelet, ...facts }, { ...alone, ...circumstances });
    expect(plan).toMatchObject({ steps: [step], refusals: [] });
    expect(plan.notes).toEqual([
      "larger",
      expect.stringContaining("the kubelet does not start where swap is on"),
    ]);
  });

  test("that is refused for other reasons has this one told too, and that which is not asked for has none", () => {
    const refused = { ...swap, steps: [], refusals: ["no room"] };
    expect(heedKubelet(refused, kubelet, alone).refusals).toHaveLength(2);
    const noted = { ...swap, steps: [] };
    expect(heedKubelet(noted, kubelet, alone)).toEqual(noted);
  });
});

const unknown = { hasIoLatency: undefined, isSwapDenied: undefined, hasLatencyTarget: undefined };

describe("system.slice", () => {
  test.each<[string, readonly string[], boolean | undefined, readonly string[]]>([
    ["without swap", [], true, []],
    ["with a device", ["/dev/sdb1"], true, ["IODeviceLatencyTargetSec=/dev/sdb1 50ms"]],
    ["with a file", ["/var/lib/wasp/swapfile"], true, ["IODeviceLatencyTargetSec=/var/lib/wasp 50ms"]],
    ["with a file at the root", ["/swapfile"], true, ["IODeviceLatencyTargetSec=/ 50ms"]],
    ["with zram", ["/dev/zram0"], true, []],
    [
      "with two files of a folder and a device",
      ["/a/1", "/a/2", "/dev/sdb"],
      undefined,
      ["IODeviceLatencyTargetSec=/a 50ms", "IODeviceLatencyTargetSec=/dev/sdb 50ms"],
    ],
    ["without io.latency in the kernel", ["/dev/sdb"], false, ["IODeviceLatencyTargetSec=/dev/sdb 50ms"]],
  ])("%s", (_, swaps, hasIoLatency, lines) => {
    const plan = planSystemSlice({ ...unknown, swaps, hasIoLatency });
    expect(textOf(plan)).toBe(["[Slice]", "MemorySwapMax=0", ...lines, ""].join("\n"));
    expect(plan.notes).toHaveLength(hasIoLatency === false ? 1 : 0);
    const settings = ["MemorySwapMax=0", ...lines];
    expect(plan.steps.slice(-2)).toMatchObject([
      { argv: expect.arrayContaining(settings), when: "changed" },
      { argv: ["systemctl", "daemon-reload"], when: "changed" },
    ]);
  });

  test.each([
    ["is, as far as is known", {}, "changed"],
    ["is not, as its services may swap", { isSwapDenied: false }, "always"],
    ["is not, as the disk has no target", { isSwapDenied: true, hasLatencyTarget: false }, "always"],
    ["is", { isSwapDenied: true, hasLatencyTarget: true }, "changed"],
  ])("in force %s", (_, facts, when) => {
    const plan = planSystemSlice({ ...unknown, swaps: ["/dev/sdb"], ...facts });
    expect(plan.steps.slice(-2)).toMatchObject([
      { kind: "command", when },
      { argv: ["systemctl", "daemon-reload"], when },
    ]);
  });

  test("is told of its disks again, at each start, once these have their names", () => {
    const { steps } = planSystemSlice({ ...unknown, swaps: ["/dev/disk/by-partlabel/a\\x20b", "/s%/f"] });
    const [, unit, link] = steps;
    const settings = [
      '"IODeviceLatencyTargetSec=/dev/disk/by-partlabel/a\\\\x20b 50ms"',
      '"IODeviceLatencyTargetSec=/s%% 50ms"',
    ];
    expect(unit).toMatchObject({ kind: "file", text: expect.stringContaining(settings.join(" ")) });
    expect(link).toMatchObject({ kind: "link", target: "/etc/systemd/system/wasp-io-latency.service" });
    expect(planSystemSlice({ ...unknown, swaps: ["/dev/zram0"] }).steps).toHaveLength(3);
  });
});

const containerd: ContainerdFacts = {
  isThere: true,
  distribution: undefined,
  version: "1.7.24",
  configFile: "/etc/containerd/config.toml",
  isConfigured: true,
  importedFolder: undefined,
  isCriOff: false,
  nri: undefined,
  connectionsRefusedBy: undefined,
  problems: [],
};

const own = { hasBinary: true, hasMemoryQos: false };
const nriFile = "/etc/containerd/nri.toml";

describe("containerd", () => {
  const shown = (plan: PartPlan) =>
    plan.steps.map((step) => {
      if (step.kind === "command") return step.argv.join(" ");
      return step.kind === "line" ? `${step.path}: ${step.line}` : step.path;
    });
  const service = [
    "/etc/systemd/system/wasp-nri.service",
    "/etc/systemd/system/multi-user.target.wants/wasp-nri.service",
    "systemctl daemon-reload",
    "systemctl restart wasp-nri.service",
  ];

  test.each<[string, Partial<ContainerdFacts>, readonly string[]]>([
    [
      "at the end of its file",
      {},
      [
        '/etc/containerd/config.toml: [plugins."io.containerd.nri.v1.nri"] # by wasp install',
        "/etc/containerd/config.toml:   disable = false # by wasp install",
      ],
    ],
    ["in a file of its own, where it has none", { isConfigured: false }, ["/etc/containerd/config.toml"]],
    [
      "in a file that it imports",
      { importedFolder: "/etc/containerd/conf.d" },
      ["/etc/containerd/conf.d/50-wasp.toml"],
    ],
    ["nowhere, where a file has it on", { nri: { file: nriFile, isDisabled: false } }, []],
    ["nowhere from 2.0 on", { version: "2.1.4" }, []],
    [
      "nowhere from 2.0 on, however it is configured",
      { version: "2.0.0", nri: { file: nriFile, isDisabled: undefined } },
      [],
    ],
    [
      "in a file of its own where its version cannot be told",
      { version: undefined, isConfigured: false },
      ["/etc/containerd/config.toml"],
    ],
  ])("has NRI turned on %s", (_, facts, enabling) => {
    const plan = planContainerd({ ...containerd, ...facts }, own, options);
    expect(plan.refusals).toEqual([]);
    expect(shown(plan)).toEqual([...enabling, ...service]);
    expect(plan.notes.some((note) => note.includes("--restart"))).toBe(enabling.length > 0);
    const restarted = planContainerd({ ...containerd, ...facts }, own, { ...options, restart: true });
    const restart = enabling.length > 0 ? ["systemctl restart containerd.service"] : [];
    expect(shown(restarted)).toEqual([...enabling, ...restart, ...service]);
  });

  test("has files that it can read", () => {
    const { steps } = planContainerd({ ...containerd, isConfigured: false }, own, options);
    const [file] = steps.filter((step) => step.kind === "file");
    const table = { "io.containerd.nri.v1.nri": { disable: false } };
    expect(Bun.TOML.parse(file?.text ?? "")).toEqual({ version: 2, plugins: table });
    expect(Bun.TOML.parse(NRI_LINES.join("\n"))).toEqual({ plugins: table });
  });

  test.each<[string, Partial<ContainerdFacts>, string]>([
    ["of a version without NRI", { version: "1.6.20" }, "containerd 1.6.20 has no NRI"],
    ["that serves no kubelet", { isCriOff: true }, "serves no kubelet"],
  ])("%s is left as it is", (_, facts, note) => {
    const plan = planContainerd({ ...containerd, ...facts }, own, options);
    expect(plan).toMatchObject({ steps: [], refusals: [], notes: [expect.stringContaining(note)] });
  });

  test.each([[undefined], ["1.7.24"]])("of a distribution, of version %p, is configured there", (version) => {
    const plan = planContainerd({ ...containerd, distribution: "k3s", version }, own, options);
    expect(shown(plan)).toEqual(service);
    expect(plan.notes).toContainEqual(
      expect.stringContaining("k3s writes its containerd's configuration anew"),
    );
    const newer = planContainerd({ ...containerd, distribution: "k3s", version: "2.1.0" }, own, options);
    expect(newer.notes.join()).not.toContain("k3s");
  });

  test("that is not there has nothing to say", () => {
    const plan = planContainerd({ ...containerd, isThere: false }, own, options);
    expect(plan).toEqual({ part: "containerd", steps: [], refusals: [], notes: [] });
  });

  test.each<[string, Partial<ContainerdFacts>, Partial<NriCompany>, string]>([
    [
      "that an administrator turned off",
      { version: "2.1.4", nri: { file: nriFile, isDisabled: true } },
      {},
      "/etc/containerd/nri.toml configures NRI, and leaves it off: set disable = false",
    ],
    [
      "that is configured and not turned on",
      { nri: { file: nriFile, isDisabled: undefined } },
      {},
      "leaves it off",
    ],
    ["that refuses plugins", { connectionsRefusedBy: nriFile }, {}, "disable_connections = true"],
    ["behind a file that cannot be read", { problems: ["x is not TOML"] }, {}, "x is not TOML"],
    ["without wasp", {}, { hasBinary: false }, "/usr/local/bin/wasp, which is no executable"],
  ])("with NRI %s is refused", (_, facts, company, refusal) => {
    const plan = planContainerd({ ...containerd, ...facts }, { ...own, ...company }, options);
    expect(plan.refusals).toEqual([expect.stringContaining(refusal)]);
  });

  test("gives classes to the service, where there are some", () => {
    const unitOf = (hasMemoryQos: boolean) => {
      const { steps } = planContainerd(containerd, { ...own, hasMemoryQos }, options);
      const [unit] = steps.filter((step) => step.kind === "file");
      return unit?.text ?? "";
    };
    const start = "ExecStart=/usr/local/bin/wasp nri --swap-behavior=LimitedSwap";
    expect(unitOf(false)).toContain(`\n${start} --on-error=Ignore\n`);
    expect(unitOf(true)).toContain(`\n${start} --config=/etc/wasp/memory-qos.yaml\n`);
  });
});
