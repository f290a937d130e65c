import { describe, expect, test } from "bun:test";
import {
  type ContainerdFacts,
  NRI_LINES,
  type NriInstallContext,
  planContainerd,
} from "../../../src/install/containerd/plan.ts";
import type { PartPlan } from "../../../src/install/engine/plan.ts";
import { options } from "../plan-facts.ts";

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

const own = { hasBinary: true, hasMemoryQos: false, kubeletLimitsSwap: false };
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
    [
      "in its configuration file, where it has none",
      { isConfigured: false },
      ["/etc/containerd/config.toml"],
    ],
    [
      "in a file that it imports",
      { importedFolder: "/etc/containerd/conf.d" },
      ["/etc/containerd/conf.d/50-wasp.toml"],
    ],
    ["nowhere, where a file turns it on", { nri: { file: nriFile, isDisabled: false } }, []],
    ["nowhere from 2.0 on", { version: "2.1.4" }, []],
    [
      "nowhere from 2.0 on, however it is configured",
      { version: "2.0.0", nri: { file: nriFile, isDisabled: undefined } },
      [],
    ],
    [
      "in its configuration file where its version is not known",
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

  test("gets lines and files that are valid TOML", () => {
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

  test.each([[undefined], ["1.7.24"]])(
    "of a distribution, in version %p, gets a note on that distribution's settings",
    (version) => {
      const plan = planContainerd({ ...containerd, distribution: "k3s", version }, own, options);
      expect(shown(plan)).toEqual(service);
      expect(plan.notes).toContainEqual(
        expect.stringContaining("k3s rewrites its containerd's configuration"),
      );
      const newer = planContainerd({ ...containerd, distribution: "k3s", version: "2.1.0" }, own, options);
      expect(newer.notes.join()).not.toContain("k3s");
    },
  );

  test("has no steps and no notes where it is not installed", () => {
    const plan = planContainerd({ ...containerd, isThere: false }, own, options);
    expect(plan).toEqual({ part: "containerd", steps: [], refusals: [], notes: [] });
  });

  test.each<[string, Partial<ContainerdFacts>, Partial<NriInstallContext>, string]>([
    [
      "turned off by an administrator",
      { version: "2.1.4", nri: { file: nriFile, isDisabled: true } },
      {},
      "/etc/containerd/nri.toml configures NRI, and leaves it off: set disable = false",
    ],
    ["configured and not turned on", { nri: { file: nriFile, isDisabled: undefined } }, {}, "leaves it off"],
    ["refusing plugins", { connectionsRefusedBy: nriFile }, {}, "disable_connections = true"],
    ["in a file that cannot be parsed", { problems: ["x is not TOML"] }, {}, "x is not TOML"],
    ["and no executable of wasp", {}, { hasBinary: false }, "/usr/local/bin/wasp, which is no executable"],
  ])("with NRI %s is refused", (_, facts, context, refusal) => {
    const plan = planContainerd({ ...containerd, ...facts }, { ...own, ...context }, options);
    expect(plan.refusals).toEqual([expect.stringContaining(refusal)]);
  });

  test("passes classes to the service, where they are configured", () => {
    const unitOf = (hasMemoryQos: boolean, kubeletLimitsSwap = false) => {
      const { steps } = planContainerd(containerd, { ...own, hasMemoryQos, kubeletLimitsSwap }, options);
      const [unit] = steps.filter((step) => step.kind === "file");
      return unit?.text ?? "";
    };
    const start = "ExecStart=/usr/local/bin/wasp nri --swap-behavior=LimitedSwap";
    expect(unitOf(false)).toContain(`\n${start} --on-error=Ignore\n`);
    expect(unitOf(true)).toContain(`\n${start} --config=/etc/wasp/memory-qos.yaml\n`);
    // Swap limits are the kubelet's then.
    const withoutSwap = "ExecStart=/usr/local/bin/wasp nri --config=/etc/wasp/memory-qos.yaml";
    expect(unitOf(true, true)).toContain(`\n${withoutSwap}\n`);
  });

  test("is left alone beside a kubelet that limits swap itself, without classes", () => {
    const { steps, notes } = planContainerd(containerd, { ...own, kubeletLimitsSwap: true }, options);
    expect(steps).toEqual([]);
    expect(notes).toEqual([expect.stringContaining("needs no wasp nri")]);
  });
});
