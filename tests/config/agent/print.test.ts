import { expect, test } from "bun:test";
import fc from "fast-check";
import { AgentFlagsSchema } from "../../../src/config/agent/knobs.ts";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { formatConfig } from "../../../src/config/agent/print.ts";
import { flagsOf } from "../../../src/config/flags.ts";
import { ROOT } from "../../node/binary.ts";

const HEADER = { apiVersion: "wasp.io/v1alpha1", kind: "WaspConfiguration" };

function loadFile(text: string, path = "/config.yaml") {
  return loadAgentConfig({ argv: [`--config=${path}`], env: {}, readFile: () => text });
}

test("a configuration is printed with each knob's source", async () => {
  const printed = formatConfig(
    loadAgentConfig({
      argv: ["--config", "/etc/wasp/config.yaml", "--swap-behavior", "noswap"],
      env: { NODE_NAME: "worker-1", FSROOT: "/host" },
      readFile: () =>
        [
          ...Object.entries(HEADER).map((entry) => entry.join(": ")),
          "excludeNamespaces: ['*']",
          "systemReservedSwap: 536870912",
          "nodeSwapLimit: max",
          "kubeletCaFile: /etc/kubernetes/our CA.crt",
        ].join("\n"),
    }),
  );
  expect(printed).toBe(await Bun.file(`${ROOT}/tests/golden/print-config.txt`).text());
});

// Valid values of each knob, with as many special cases of YAML as possible.
const odd = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("# a", "a: b", " ", "true", "0x1", "~", "\n-"),
);
const path = odd.map((text) => `/${text}`);
const namespace = fc.constantFrom("*", "a", "a*", "kube-system", "true", "null", "1", "1e3", "0x1f");
const host = fc.constantFrom("::1", "127.0.0.1", "1", "no", "null", "node.example.com", "fe80::1");
const bytes = fc.oneof(
  fc.maxSafeNat(),
  fc.maxSafeNat().map((number) => Math.floor(number / 2 ** 40) * 2 ** 40),
  fc.constantFrom("1.5Gi", "512Mi", "100m", "7Pi"),
);
const whole = (min: number, max: number) => fc.integer({ min, max });
const trust = fc.oneof(
  fc.record({ kubeletCaFile: path, kubeletServerName: host }),
  fc.record({ kubeletServingCertificateFile: path }),
  fc.record({ kubeletInsecure: fc.boolean() }),
);
const tls = fc.oneof(fc.constant({}), fc.record({ httpCertificateFile: path, httpKeyFile: path }));
const fraction = fc.oneof(
  fc.double({ min: 0, max: 1e12, noNaN: true }),
  fc.constantFrom("10%", "0.1%", "33.3%", "120%", "0.25"),
);
const pages = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constantFrom("1000", "0.5"));
const operator = fc.constantFrom(">", ">=", "<", "<=");
const condition = fc.oneof(
  fc.record({ signal: fc.constantFrom("memoryPressure", "swaputilization"), operator, value: fraction }),
  fc.record({ signal: fc.constantFrom("swapInPagesPerSecond"), operator, value: pages }),
  fc.record({ signal: fc.constantFrom("memoryAvailableBytes"), operator, value: bytes }),
);
const threshold = fc.record(
  {
    name: fc.constantFrom("1", "true", "null", "no", "1e3", "0x1f", "swap-harm"),
    allOf: fc.array(condition, { minLength: 1, maxLength: 3 }),
    graceSeconds: whole(0, 3600),
    minClearSeconds: whole(0, 86_400),
    hard: fc.boolean(),
    unless: condition,
    onlyWithout: fc.constantFrom("memoryPressure", "swapUtilization"),
  },
  { requiredKeys: ["name", "allOf", "graceSeconds", "minClearSeconds"] },
);
const others = fc.record(
  {
    swapBehavior: fc.constantFrom("NoSwap", "limitedswap", "UnlimitedSwap"),
    workloads: fc.constantFrom("Burstable", "VirtualMachines"),
    podOverrides: fc.constantFrom("Never", "Lower", "Any"),
    excludeNamespaces: fc.array(namespace),
    systemReservedSwap: bytes,
    nodeSwapLimit: fc.oneof(bytes, fc.constant("max")),
    dryRun: fc.boolean(),
    evictionMode: fc.constantFrom("Enforce", "dryrun", "Off"),
    evictionThresholds: fc.uniqueArray(threshold, { selector: ({ name }) => name, maxLength: 3 }),
    cooldownSeconds: whole(0, 3600),
    victimDeadlineSeconds: whole(1, 86_400),
    maxEvictionsPerHour: whole(0, 1000),
    lastResort: fc.constantFrom("None", "Delete"),
    evictionOptOut: fc.constantFrom("Never", "withinrequests", "Always"),
    evictionOptOutNamespaces: fc.array(namespace),
    trafficWindowSeconds: whole(1, 600),
    taintEffect: fc.constantFrom("NoSchedule", "PreferNoSchedule", "None"),
    nodeName: fc.constantFrom("1", "1.5", "true", "node-1", "0x1", "1e3"),
    kubeletHost: host,
    kubeletPort: whole(1, 65535),
    kubeletTokenFile: path,
    podPollSeconds: whole(1, 3600),
    sweepSeconds: whole(1, 3600),
    maxRestoresPerMinute: whole(1, 1000),
    httpAddress: host,
    httpPort: whole(0, 65535),
    logFormat: fc.constantFrom("Json", "Human"),
    verbosity: whole(0, 10),
    fsroot: path,
  },
  { requiredKeys: [] },
);

test("a printed configuration can be loaded", () => {
  fc.assert(
    fc.property(trust, tls, others, path, (...[trusted, served, set, name]) => {
      const first = loadFile(JSON.stringify({ ...HEADER, ...trusted, ...served, ...set }), name);
      const printed = formatConfig(first);
      expect(loadFile(printed).config).toEqual(first.config);
    }),
    { numRuns: 500 },
  );
});

test("every flag has a description, and the words of a choice are shown", () => {
  const flags = flagsOf(AgentFlagsSchema);
  expect(Object.keys(flags)).toEqual(
    expect.arrayContaining(["config", "print-config", "once", "node-swap-limit"]),
  );
  for (const flag of Object.values(flags)) expect(flag.description).toMatch(/^[A-Z]/);
  expect(flags["pod-source"]).toMatchObject({ valueHint: "Kubelet|ApiServer" });
  expect(flags).not.toHaveProperty("eviction-thresholds");
  expect(flags["kubelet-port"]?.description).toEndWith("(default: 10250)");
  expect(flags["kubelet-insecure"]).toMatchObject({ type: "boolean" });
});
