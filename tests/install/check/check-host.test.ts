import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { Glob } from "bun";
import { checkHost } from "../../../src/install/check/all-checks.ts";
import type { FindingId } from "../../../src/install/finding/finding.ts";
import { CheckedHost, foundOn } from "./checked-host.ts";

let host: CheckedHost;
beforeEach(() => {
  host = new CheckedHost();
});
afterEach(() => host[Symbol.dispose]());

const found = (id: FindingId) => foundOn(host, id);

const HOOKS = "/usr/share/containers/oci/hooks.d";
const KUBELET = "/var/lib/kubelet/config.yaml";
const KUBELET_DROP_IN = "/etc/kubernetes/kubelet.conf.d/50-wasp.conf";
const SLICE = "/sys/fs/cgroup/system.slice";
const SLICE_DROP_INS = "/etc/systemd/system/system.slice.d";
const UNIT = "/etc/systemd/system/dev-mapper-swap.swap";

// The tests do not always run as root, so the owner of the executable is checked apart.
const isAboutOwner = ({ id }: { readonly id: FindingId }) => /^binary$|-owner$/.test(id);

describe("a host", () => {
  test("without a fault has only findings that are ok", () => {
    const findings = checkHost(host).filter((finding) => !isAboutOwner(finding));
    expect(findings.filter(({ severity }) => severity !== "ok")).toEqual([]);
    expect(findings.length).toBeGreaterThan(25);
  });

  test("without files has no finding that is ok", () => {
    using empty = new CheckedHost();
    for (const folder of ["/proc", "/sys", "/etc", "/usr", "/var", "/dev"]) empty.remove(folder);
    expect(checkHost(empty).filter(({ severity }) => severity === "ok" || severity === "note")).toEqual([]);
  });
});

describe("a fact that cannot be read", () => {
  const cases: readonly (readonly [FindingId, string])[] = [
    ["kernel", "/proc/sys/kernel/osrelease"],
    ["swap", "/proc/swaps"],
    ["swap-size", "/proc/meminfo"],
    ["swap-disk", "/proc/1/mountinfo"],
    ["swappiness", "/proc/sys/vm/swappiness"],
    ["pressure", "/proc/pressure/memory"],
    ["zswap", "/sys/module/zswap/parameters/enabled"],
    ["swap-after-boot", UNIT],
    ["swap-encryption", "/sys/devices/virtual/dm-0/dm/uuid"],
    ["system-slice", `${SLICE}/memory.swap.max`],
    ["system-slice-after-boot", `${SLICE_DROP_INS}/50-wasp.conf`],
    ["io-latency", `${SLICE}/io.latency`],
    ["hook-loaded", "/proc/700/environ"],
    ["hook", `${HOOKS}/wasp-swap.json`],
    ["kubelet", KUBELET],
    ["restart", "/proc/800/stat"],
    ["swap-reach", "/sys/fs/cgroup/kubepods.slice/memory.high"],
    ["agent", "/proc/locks"],
  ];
  test.each(cases)("%s is unknown without %s", (id, path) => {
    host.spoil(path);
    expect(found(id)).toStartWith(`unknown: `);
    expect(found(id)).toContain(path);
  });

  const texts: readonly (readonly [FindingId, string, string, string])[] = [
    ["kubelet", KUBELET, "a: [", "cannot be read as YAML"],
    ["kubelet-fail-swap-on", KUBELET_DROP_IN, "\t- x", `${KUBELET_DROP_IN} cannot be read as YAML`],
    ["hook-loaded", "/etc/crio/crio.conf.d/10-crio.conf", "[crio", "cannot be read as TOML"],
    ["swap", "/proc/swaps", "head\nnonsense\n", "nonsense"],
    ["swappiness", "/proc/sys/vm/swappiness", "sixty\n", "sixty"],
    ["restart", "/proc/800/stat", "1 (kubelet) S\n", "no start time"],
  ];
  test.each(texts)("%s is unknown where %s says %j", (id, path, text, words) => {
    host.write(path, text);
    expect(found(id)).toStartWith("unknown: ");
    expect(found(id)).toContain(words);
  });

  test("a kubelet without the file that it is started with", () => {
    host.remove(KUBELET);
    expect(found("kubelet")).toContain(`unknown: open ${host.fsroot}/proc/800/root${KUBELET}`);
  });

  test("a swap area on an unknown device", () => {
    host.setSwaps("/dev/sdz partition 1048572 0 -2");
    expect(found("swap-encryption")).toContain("/sys/class/block/sdz does not exist");
    expect(found("swap")).toStartWith("ok");
  });
});

describe("a check of a host with a spoiled file", () => {
  const spoilings = [
    ["empty", (path: string) => host.write(path, "")],
    ["noise", (path: string) => host.write(path, "\u0000] {x: %\n- = 1 2 3\n")],
    ["itself a folder", (path: string) => host.spoil(path)],
    ["a link to nowhere", (path: string) => host.link(path, "/nowhere")],
    ["a link to itself", (path: string) => host.link(path, host.fsroot + path)],
  ] as const;
  test.each(spoilings)("that is %s reports the rest", (_, spoil) => {
    const sound = checkHost(host);
    const names = [...new Glob("**/*").scanSync({ cwd: host.fsroot, dot: true })];
    const paths = names.map((name) => `/${name}`).filter((path) => lstatSync(host.fsroot + path).isFile());
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      const text = readFileSync(host.fsroot + path, "utf8");
      const mode = statSync(host.fsroot + path).mode & 0o7777;
      spoil(path);
      expect(checkHost(host).length).toBeGreaterThan(sound.length / 2);
      host.write(path, text, mode);
    }
    expect(checkHost(host)).toEqual(sound);
  });
});

describe("an image", () => {
  test("is checked by its files, and nothing is run in it", () => {
    host.isRunning = false;
    host.remove("/proc");
    host.remove("/sys");
    host.write(
      "/usr/lib/systemd/system/kubelet.service",
      `[Service]\nExecStart=kubelet --config=${KUBELET}\n`,
    );
    const findings = checkHost(host).filter((finding) => !isAboutOwner(finding));
    expect(findings.map(({ id, severity }) => `${id} ${severity}`)).toEqual([
      "hook ok",
      "hook-loaded ok",
      "hooks-valid ok",
      "system-slice-after-boot ok",
      "kubelet-fail-swap-on error",
      "kubelet-swap-behavior ok",
      "wasp-agent ok",
    ]);
    expect(host.ran).toEqual([]);
  });
});
