import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/policy/eviction/default-thresholds.ts";

const FILE = "/etc/wasp/config.yaml";
const HEADER = "apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n";

/** Loads a configuration from a file with these fields, in YAML, and from a command line and an environment. */
function load(fields: string, argv: readonly string[] = [], env: Record<string, string> = {}) {
  return loadText(HEADER + fields, argv, env);
}

function loadText(text: string, argv: readonly string[] = [], env: Record<string, string> = {}) {
  const readFile = (path: string) => {
    expect(path).toBe(FILE);
    return text;
  };
  return loadAgentConfig({ argv: ["--config", FILE, ...argv], env, readFile });
}

/** Returns the complaints, one for each line. */
function complaints(text: string, argv: readonly string[] = [], env: Record<string, string> = {}): string[] {
  try {
    loadText(text, argv, env);
  } catch (error) {
    return (error as Error).message.split("\n");
  }
  return [];
}

const nothing = { argv: [], env: {}, readFile: () => expect.unreachable() };

describe("without a file, flags and variables", () => {
  test("the agent has the hook's defaults", () => {
    const { config, sources } = loadAgentConfig(nothing);
    expect(config).toEqual({
      swapBehavior: "LimitedSwap",
      workloads: "Burstable",
      podOverrides: "Lower",
      excludeNamespaces: ["kube-system", "openshift*"],
      systemReservedSwapBytes: 0,
      swapLimits: "Auto",
      dryRun: false,
      evictionMode: "Off",
      swapReach: "Auto",
      evictionThresholds: [...DEFAULT_THRESHOLDS],
      cooldownSeconds: 60,
      victimDeadlineSeconds: 300,
      maxEvictionsPerHour: 6,
      lastResort: "None",
      evictionOptOut: "WithinRequests",
      evictionOptOutNamespaces: ["*"],
      trafficWindowSeconds: 30,
      taintEffect: "NoSchedule",
      nri: false,
      nriSocket: "/var/run/nri/nri.sock",
      memoryQosOnError: "Refuse",
      podSource: "Kubelet",
      kubeletHost: "127.0.0.1",
      kubeletPort: 10250,
      kubeletTokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
      kubeletInsecure: false,
      apiServerTokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
      apiServerCaFile: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
      podPollSeconds: 30,
      sweepSeconds: 60,
      maxRestoresPerMinute: 10,
      httpAddress: "127.0.0.1",
      httpPort: 9809,
      logFormat: "Human",
      verbosity: 2,
      fsroot: "",
    });
    expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
  });

  test("the configuration is frozen", () => {
    const { config, sources } = loadAgentConfig(nothing);
    expect(
      [
        config,
        config.excludeNamespaces,
        config.evictionOptOutNamespaces,
        config.evictionThresholds,
        sources,
      ].every(Object.isFrozen),
    ).toBe(true);
  });
});

describe("layers", () => {
  test.each<[string, string[], Record<string, string>, number, string]>([
    ["", [], {}, 2, "default"],
    ["verbosity: 3", [], {}, 3, `file ${FILE}`],
    ["verbosity: 3", [], { VERBOSITY: "4" }, 4, "environment VERBOSITY"],
    ["verbosity: 3", [], { VERBOSITY: "" }, 3, `file ${FILE}`],
    ["verbosity: 3", ["--verbosity", "5"], { VERBOSITY: "4" }, 5, "flag --verbosity"],
    // A higher layer takes precedence even with the default value.
    ["verbosity: 3", ["--verbosity=2"], {}, 2, "flag --verbosity"],
  ])("file %p, flags %j and environment %j", (fields, argv, env, verbosity, source) => {
    const { config, sources } = load(fields, argv, env);
    expect(config.verbosity).toBe(verbosity);
    expect(sources.verbosity).toBe(source);
  });

  test("each variable sets its knob", () => {
    const env = {
      NODE_NAME: "node-1.example.com",
      KUBELET_HOST: "10.0.0.1",
      FSROOT: "/host/",
      VERBOSITY: "5",
    };
    expect(load("", [], env).config).toMatchObject({
      nodeName: "node-1.example.com",
      kubeletHost: "10.0.0.1",
      fsroot: "/host",
      verbosity: 5,
    });
  });

  test("a list is replaced, not added to", () => {
    const argv = ["--exclude-namespace", "a", "--exclude-namespace", "b*"];
    expect(load("excludeNamespaces: [c]", argv).config.excludeNamespaces).toEqual(["a", "b*"]);
    expect(load("excludeNamespaces: []").config.excludeNamespaces).toEqual([]);
  });

  test("the flags of a run are not knobs", () => {
    const options = { configFile: FILE, printConfig: true, once: true };
    const { runOptions, sources } = load("", ["--print-config", "--once"]);
    expect(runOptions).toEqual(options);
    expect(Object.keys(sources)).not.toContainAnyValues(["config", "printConfig", "once"]);
    expect(loadAgentConfig(nothing).runOptions).toEqual({
      configFile: undefined,
      printConfig: false,
      once: false,
    });
  });
});

describe("a value", () => {
  const GI = 2 ** 30;

  test.each<[string, string[], Record<string, unknown>]>([
    ["systemReservedSwap: 512Mi", ["--system-reserved-swap=512Mi"], { systemReservedSwapBytes: GI / 2 }],
    ["systemReservedSwap: 4096", ["--system-reserved-swap=4096"], { systemReservedSwapBytes: 4096 }],
    ["swapLimits: Kubelet", ["--swap-limits=kubelet"], { swapLimits: "Kubelet" }],
    ["nodeSwapLimit: 8Gi", ["--node-swap-limit=8Gi"], { nodeSwapLimitBytes: 8 * GI }],
    ["nodeSwapLimit: 1e9", ["--node-swap-limit=1e9"], { nodeSwapLimitBytes: 1e9 }],
    ["nodeSwapLimit: max", ["--node-swap-limit=max"], { nodeSwapLimitBytes: Number.POSITIVE_INFINITY }],
    ["kubeletPort: 1", ["--kubelet-port=1"], { kubeletPort: 1 }],
    ["httpPort: '0'", ["--http-port=0"], { httpPort: 0 }],
    ["httpAddress: '::'", ["--http-address=::"], { httpAddress: "::" }],
    ["kubeletInsecure: true", ["--kubelet-insecure"], { kubeletInsecure: true }],
    ["swapBehavior: unlimitedswap", ["--swap-behavior=UNLIMITEDSWAP"], { swapBehavior: "UnlimitedSwap" }],
    [
      "{podSource: apiserver, nodeName: n}",
      ["--pod-source=apiserver", "--node-name=n"],
      { podSource: "ApiServer", nodeName: "n" },
    ],
    ["logFormat: JSON", ["--log-format=json"], { logFormat: "Json" }],
    [
      "kubeletServerName: worker-1.example.com",
      ["--kubelet-server-name=worker-1.example.com"],
      { kubeletServerName: "worker-1.example.com" },
    ],
    ["podPollSeconds: 3600", ["--pod-poll-seconds=3600"], { podPollSeconds: 3600 }],
  ])("%s has the same effect as %j", (yaml, argv, expected) => {
    const flow = /^\{(.*)\}$/.exec(yaml);
    const fields = flow?.[1]?.replaceAll(", ", "\n") ?? yaml;
    expect(load(fields).config).toMatchObject(expected);
    expect(load("", argv).config).toMatchObject(expected);
  });

  test.each<[string, string]>([
    ["swapBehavior: Limited", '"Limited" is not one of NoSwap, LimitedSwap, UnlimitedSwap'],
    ["swapBehavior: 3", "3 is not one of NoSwap, LimitedSwap, UnlimitedSwap"],
    ["podSource: kubelets", '"kubelets" is not one of Kubelet, ApiServer'],
    ["excludeNamespaces: kube-system", '"kube-system" is not a list of namespaces'],
    ["evictionOptOut: Sometimes", '"Sometimes" is not one of Never, WithinRequests, Always'],
    ["evictionOptOutNamespaces: ['a*b']", '"a*b" is not a namespace, or a prefix followed by *'],
    ["excludeNamespaces: [a, B]", '"B" is not a namespace, or a prefix followed by *'],
    ["systemReservedSwap: 10%", '"10%" is not a quantity of bytes, such as 512Mi'],
    ["systemReservedSwap: max", '"max" is not a quantity of bytes, such as 512Mi'],
    ["systemReservedSwap: -1", "-1 is not a quantity of bytes, such as 512Mi"],
    ["nodeSwapLimit:", "null is neither a quantity of bytes, such as 8Gi, nor max"],
    ["nodeSwapLimit: .inf", "Infinity is neither a quantity of bytes, such as 8Gi, nor max"],
    ["dryRun: yes", '"yes" is neither true nor false'],
    ["dryRun: 1", "1 is neither true nor false"],
    ["nodeName: Node_1", '"Node_1" is not a node name'],
    ["kubeletHost: 127.0.0.1:10250", '"127.0.0.1:10250" is not a host name or address, without scheme'],
    ["kubeletHost: https://node", '"https://node" is not a host name or address, without scheme'],
    ["httpAddress: '[::1]'", '"[::1]" is not a host name or address, without scheme'],
    ["kubeletHost: '1:2'", '"1:2" is not a host name or address, without scheme'],
    ["kubeletPort: 0", "0 is not a whole number from 1 to 65535"],
    ["httpPort: 65536", "65536 is not a whole number from 0 to 65535"],
    ["podPollSeconds: 0", "0 is not a whole number from 1 to 3600"],
    ["sweepSeconds: 1.5", "1.5 is not a whole number from 1 to 3600"],
    ["sweepSeconds: 1m", '"1m" is not a whole number from 1 to 3600'],
    ["maxRestoresPerMinute: 1001", "1001 is not a whole number from 1 to 1000"],
    ["verbosity: 11", "11 is not a whole number from 0 to 10"],
    ["verbosity: [1]", "[1] is not a whole number from 0 to 10"],
    ["kubeletCaFile: ca.crt", '"ca.crt" is not an absolute path'],
    ["fsroot: host", '"host" is not an absolute path'],
  ])("%s is refused with line, field, value and valid values", (field, complaint) => {
    const name = field.slice(0, field.indexOf(":"));
    expect(complaints(`${HEADER}${field}\n`)).toEqual([
      expect.stringContaining(`${FILE}:3: ${name}: ${complaint}`),
    ]);
  });

  test("a complaint names the variable or the flag", () => {
    expect(complaints(HEADER, ["--kubelet-port=x", "--exclude-namespace="], { VERBOSITY: "high" })).toEqual([
      'VERBOSITY: "high" is not a whole number from 0 to 10',
      expect.stringMatching(/^--exclude-namespace: "" is not a namespace, or a prefix/),
      '--kubelet-port: "x" is not a whole number from 1 to 65535',
    ]);
  });
});

describe("a file", () => {
  test.each<[string, string[]]>([
    [
      "",
      [
        `${FILE}: apiVersion is missing: it must be wasp.io/v1alpha1`,
        `${FILE}: kind is missing: it must be WaspConfiguration`,
      ],
    ],
    [
      "apiVersion: v1\nkind: ConfigMap\n",
      [
        `${FILE}:1: apiVersion: "v1" is not wasp.io/v1alpha1`,
        `${FILE}:2: kind: "ConfigMap" is not WaspConfiguration`,
      ],
    ],
    ["- a\n", [`${FILE}: is not a map of fields, such as kind: WaspConfiguration`]],
    [`${HEADER}dryRun: true\ndryRun: true\n`, [`${FILE}:4: dryRun is set a second time`]],
    [`${HEADER}---\n${HEADER}`, [`${FILE}:3: more than one document in the file`]],
    [
      `${HEADER}fsroot: &a /\nnodeName: *a\n`,
      [`${FILE}:4: *a: aliases are not supported, write the value itself`],
    ],
    [`${HEADER}fsroot: !path /\n`, [`${FILE}:3: Unresolved tag: !path`]],
    [`${HEADER}fsroot: "/\n`, [`${FILE}:4: Missing closing "quote`]],
    // A boolean of YAML 1.1 is a string.
    [`%YAML 1.1\n---\n${HEADER}dryRun: yes\n`, [`${FILE}:5: dryRun: "yes" is neither true nor false`]],
  ])("%j is refused", (text, expected) => {
    expect(complaints(text)).toEqual(expected);
  });

  test.each<[string, string]>([
    [
      "swapBehaviour",
      "did you mean swapBehavior? The fields are apiVersion, kind, swapBehavior, workloads, ",
    ],
    ["swap-behavior", "did you mean swapBehavior? The fields are "],
    ["SWAP_BEHAVIOR", "did you mean swapBehavior? The fields are "],
    ["systemReservedSwapBytes", "did you mean systemReservedSwap? The fields are "],
    ["Kind", "did you mean kind? The fields are "],
    ["httpKeyFle", "did you mean httpKeyFile? The fields are "],
    ["config", "The fields are "],
    ["__proto__", "The fields are "],
    ["swapThresholds", "The fields are "],
  ])("unknown field %s", (field, suggestion) => {
    expect(complaints(`${HEADER}\n${field}: 1\n`)).toEqual([
      expect.stringContaining(`${FILE}:4: unknown field "${field}": ${suggestion}`),
    ]);
  });

  test("all complaints are reported at once, even about a value that a flag overrides", () => {
    const text = `${HEADER}verbosity: 11\nverbositi: 1\ndryRun: no\n`;
    expect(complaints(text, ["--verbosity=1", "--sweep-seconds=0"])).toEqual([
      expect.stringContaining(':4: unknown field "verbositi"'),
      expect.stringContaining(":3: verbosity: 11 is not"),
      expect.stringContaining(':5: dryRun: "no" is neither'),
      expect.stringContaining('--sweep-seconds: "0" is not'),
    ]);
  });

  test("that cannot be read is named in the error", () => {
    const readFile = () => {
      throw new Error("permission denied");
    };
    expect(() => loadAgentConfig({ argv: ["--config=/x.yaml"], env: {}, readFile })).toThrow(
      "--config: cannot read /x.yaml: permission denied",
    );
  });

  test("with arbitrary text has complaints with its name, and only a few if it is not YAML", () => {
    const yaml = fc.string({ unit: fc.constantFrom(..."ab:-?&*!|>'\"%@{}[],# \n\t~01\u0085\u2028") });
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), yaml), (text) => {
        const found = complaints(text);
        expect(found).not.toBeEmpty();
        for (const complaint of found) expect(complaint).toStartWith(`${FILE}:`);
      }),
      { numRuns: 3000 },
    );
    expect(complaints("[".repeat(1000)).length).toBeWithin(1, 11);
  });
});

describe("knobs that contradict one another", () => {
  test.each<[string, string[], string]>([
    [
      "",
      ["--pod-source", "apiserver"],
      "podSource (flag --pod-source) is ApiServer, which needs this node's name: set --node-name or NODE_NAME",
    ],
    [
      "kubeletCaFile: /ca",
      ["--kubelet-serving-certificate-file=/kubelet.crt"],
      `kubeletCaFile (file ${FILE}) and kubeletServingCertificateFile (flag --kubelet-serving-certificate-file) are set: only one`,
    ],
    ["kubeletCaFile: /ca\nkubeletInsecure: true", [], "kubeletCaFile (file"],
    [
      "httpCertificateFile: /c",
      [],
      `httpCertificateFile (file ${FILE}) is set without httpKeyFile: TLS needs`,
    ],
    [
      "",
      ["--http-key-file=/k"],
      "httpKeyFile (flag --http-key-file) is set without httpCertificateFile: TLS",
    ],
  ])("%p with %j", (fields, argv, complaint) => {
    expect(() => load(fields, argv)).toThrow(complaint);
  });

  test.each<[string, string[], Record<string, string>]>([
    ["podSource: ApiServer", [], { NODE_NAME: "n" }],
    ["httpCertificateFile: /c", ["--http-key-file=/k"], {}],
    ["kubeletCaFile: /ca\nkubeletInsecure: false", [], {}],
  ])("are not %p with %j and %j", (fields, argv, env) => {
    expect(() => load(fields, argv, env)).not.toThrow();
  });
});

test.each<[string[], string]>([
  [["--dry-rum"], "unknown flag --dry-rum: did you mean --dry-run?"],
  [["--config"], "--config needs a value"],
  [["--once=yes"], '--once takes no value, not "yes"'],
  [["now"], "unexpected argument now"],
])("%j is refused", (argv, message) => {
  expect(() => loadAgentConfig({ ...nothing, argv })).toThrow(message);
});
