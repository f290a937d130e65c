import { describe, expect, test } from "bun:test";
import { loadNriConfig } from "../../../src/config/nri/knobs.ts";

const LAUNCHED = { NRI_PLUGIN_NAME: "qos", NRI_PLUGIN_IDX: "07", NRI_PLUGIN_SOCKET: "3" };

const sourceOf = (config: ReturnType<typeof loadNriConfig>, name: string) =>
  config.flags.find(({ flag }) => flag === name)?.source;

describe("the flags of wasp nri", () => {
  test("have defaults", () => {
    expect(loadNriConfig([], {})).toMatchObject({
      configFile: undefined,
      name: "memory-qos",
      index: "40",
      socket: "/var/run/nri/nri.sock",
      isRefusing: true,
      isExitedOnDisconnect: false,
      swapLimit: undefined,
      verbosity: 2,
      fsroot: "",
    });
  });

  test.each<[string, string[]]>([
    ["in the form of the original's", ["-config", "FILE", "-idx", "41", "-name=qos", "-v"]],
    ["with two dashes", ["--config", "FILE", "--idx=41", "--name", "qos", "-vv"]],
  ])("are read %s", (_, argv) => {
    const read = { configFile: "FILE", index: "41", name: "qos", verbosity: 4 };
    expect(loadNriConfig(argv, {})).toMatchObject(read);
  });

  test("take precedence over the environment that the runtime sets", () => {
    const launched = loadNriConfig([], LAUNCHED);
    expect(launched).toMatchObject({ name: "qos", index: "07", socket: 3 });
    expect(sourceOf(launched, "--idx")).toBe("environment NRI_PLUGIN_IDX");
    expect(sourceOf(launched, "--socket")).toBe("environment NRI_PLUGIN_SOCKET");
    const given = loadNriConfig(["--idx", "41", "--socket", "/run/nri.sock"], LAUNCHED);
    expect(given).toMatchObject({ name: "qos", index: "41", socket: "/run/nri.sock" });
    expect(sourceOf(given, "--socket")).toBe("flag --socket");
  });

  test("select swap limits with a swap behavior", () => {
    const { swapLimit } = loadNriConfig(["--swap-behavior", "noswap", "--system-reserved-swap", "1Gi"], {});
    expect(swapLimit).toEqual({
      swapBehavior: "NoSwap",
      workloads: "Burstable",
      podOverrides: "Lower",
      excludeNamespaces: ["kube-system", "openshift*"],
      systemReservedSwapBytes: 2 ** 30,
    });
  });

  test.each<[string[], Record<string, string>, string]>([
    [["--idx", "4"], {}, '--idx: "4" is not two digits, from 00 to 99'],
    [[], { NRI_PLUGIN_IDX: "400" }, 'NRI_PLUGIN_IDX: "400" is not two digits, from 00 to 99'],
    [[], { NRI_PLUGIN_SOCKET: "-1" }, 'NRI_PLUGIN_SOCKET: "-1" is not a whole number from 0 to 1048576'],
    [["--socket", "nri.sock"], {}, '--socket: "nri.sock" is not an absolute path'],
    [["-onerror"], {}, "unknown flag -o"],
    [["-xyz"], {}, "unknown flag -x"],
  ])("refuse %j with %j", (argv, env, complaint) => {
    expect(() => loadNriConfig(argv, env)).toThrow(complaint);
  });

  test("report all complaints at once", () => {
    const argv = ["--idx", "4", "--workloads", "All"];
    expect(() => loadNriConfig(argv, {})).toThrow(
      /^--idx: .*\n--workloads: .*\n--workloads is only valid with --swap-behavior$/,
    );
  });
});
