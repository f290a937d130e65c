/** `wasp install` and `wasp uninstall` on a real host: over ssh, through restarts and power cuts. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Administrator } from "./administrator.ts";
import { effectiveLimit, podmanRun, startContainer } from "./container.ts";
import { listing, makeFresh, makeOtherHosts, otherHosts } from "./fresh-host.ts";
import { bootGuest } from "./guest.ts";
import { guestImage } from "./image.ts";
import { oomScoreAdjOf32MiB, podSlices, swapShares } from "./pods.ts";

setDefaultTimeout(180_000);

const image = await guestImage();
const guest = await bootGuest(image, { isLasting: true });
const administrator = await Administrator.of(guest, image);

afterAll(async () => {
  await administrator[Symbol.asyncDispose]();
  await guest.stop();
});

const swapFile = "/var/lib/wasp/swapfile";
const swapFlags = ["--swap-size", "256Mi"];
const burstable = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB };
const nothingToDo = expect.stringContaining("nothing to do: ");
const succeeded = { exitCode: 0, stderr: "" };

/** What is on the host that no wasp has made anything on. */
let fresh: string;

beforeAll(async () => {
  await makeFresh(guest);
  fresh = await listing(guest);
});

/** What a check finds on the guest, by what it is about: how bad, and what was found. */
async function check(): Promise<{ exitCode: number; of: (severity: string) => string[] }> {
  const { code, stdout, stderr } = await guest.run("wasp install --check -o json");
  if (stdout === "") throw new Error(`wasp install --check told nothing: ${stderr}`);
  const { findings } = JSON.parse(stdout) as { findings: { id: string; severity: string }[] };
  const of = (severity: string) => findings.filter((one) => one.severity === severity).map(({ id }) => id);
  return { exitCode: code, of };
}

/** What is swapped to. */
async function swaps(): Promise<string[]> {
  const lines = await guest.must("swapon --show=NAME,TYPE --noheadings");
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.trim().replace(/ +/, " "));
}

const systemSliceLimit = () => guest.must("cat /sys/fs/cgroup/system.slice/memory.swap.max");

/** What systemd was told of the disk since the last start of the host; what it made of it, this kernel does not show. */
const latencyTarget = () =>
  guest.must(`set -e
    grep --quiet IODeviceLatency /run/systemd/system.control/system.slice.d/*
    systemctl show --property=IODeviceLatencyTargetUSec --value system.slice`);

/** Starts an installation, and takes the guest's power away once a script in it ends. */
async function cutOnce(script: string): Promise<void> {
  const run = administrator.begin("install", swapFlags);
  await guest.must(script);
  await guest.cutPower();
  expect(await run.exited).not.toBe(0);
}

const untilThere = (path: string) => `until [ -e ${path} ]; do sleep 0.01; done`;

describe("a host that has nothing of wasp", () => {
  test("is told so", async () => {
    const { exitCode, stdout } = await administrator.wasp("install", ["--check", "-o", "json"]);
    expect(exitCode).toBe(1);
    const [{ report }] = JSON.parse(stdout).hosts;
    const errors = report.findings.filter(({ severity }: { severity: string }) => severity === "error");
    expect(errors.map(({ id }: { id: string }) => id)).toEqual(["swap", "binary", "hook"]);
    expect(await listing(guest)).toBe(fresh);
  });

  test("is as it was after a power cut in the middle of an installation, once that is undone", async () => {
    await cutOnce(untilThere("/etc/systemd/system/system.slice.d/50-wasp.conf"));
    expect(await listing(guest)).not.toBe(fresh);
    expect(await administrator.wasp("uninstall")).toMatchObject(succeeded);
    expect(await listing(guest)).toBe(fresh);
  });
});

describe("an installation", () => {
  test("that a power cut ended is completed by the next", async () => {
    await cutOnce(untilThere("/etc/wasp/swap.sh"));
    expect(await administrator.wasp("install", swapFlags)).toMatchObject(succeeded);
  });

  test("is in force at once", async () => {
    expect(await swaps()).toEqual([`${swapFile} file`]);
    expect(await systemSliceLimit()).toBe("0\n");
    expect((await guest.run("ls -A /var/lib/wasp; ls -d /var/lib/.wasp*")).stdout).toBe(
      "install.json\nswapfile\n",
    );
  });

  test("is there after a restart of the host", async () => {
    const boot = () => guest.must("cat /proc/sys/kernel/random/boot_id");
    const before = await boot();
    await guest.reboot();
    expect(await boot()).not.toBe(before);
    expect(await guest.must("systemctl is-system-running --wait")).toBe("running\n");
    expect(await guest.must("systemctl is-active wasp-swap var-lib-wasp-swapfile.swap")).toBe(
      "active\nactive\n",
    );
    expect(await swaps()).toEqual([`${swapFile} file`]);
    expect(await systemSliceLimit()).toBe("0\n");
    expect(await latencyTarget()).toBe("/var/lib/wasp 50ms\n");
  });

  test("gives a container its limit", async () => {
    const limitBytes = (await swapShares(guest))(oomScoreAdjOf32MiB);
    expect(limitBytes).toBeGreaterThan(0);
    expect(effectiveLimit(await startContainer(guest, "crun", burstable))).toBe(limitBytes);
  });

  test("has nothing to do again", async () => {
    const before = await listing(guest);
    expect(await guest.must(`wasp install ${swapFlags.join(" ")}`)).toEqual(nothingToDo);
    expect(await listing(guest)).toBe(before);
  });

  // Debian's kernel has no io.latency.
  const known = ["swap-encryption", "io-latency", "agent"];

  test("is sound, but for what no installation brings", async () => {
    const found = await check();
    expect(found.of("error")).toEqual([]);
    expect(found.of("warning")).toEqual(known);
    expect(found.of("unknown")).toEqual(["kubelet"]);
    expect(found.exitCode).toBe(3);
  });

  const hook = "/usr/share/containers/oci/hooks.d/wasp-swap.json";
  const dropIn = "/etc/systemd/system/system.slice.d/50-wasp.conf";
  test("is told of with each thing broken, and mended by the next", async () => {
    await guest.must(`set -e
      swapoff --all
      truncate --size=100 ${hook}
      chmod o+w /usr/local/bin/wasp
      rm ${dropIn}
      echo max > /sys/fs/cgroup/system.slice/memory.swap.max`);
    const broken = await check();
    expect(broken.of("error")).toEqual(["swap", "binary-owner", "hook"]);
    expect(broken.of("warning")).toEqual(["system-slice", "system-slice-after-boot", "agent"]);
    expect(broken.exitCode).toBe(1);
    await guest.must(`wasp install ${swapFlags.join(" ")}`);
    const mended = await check();
    expect([mended.of("error"), mended.of("warning")]).toEqual([[], known]);
  });

  test("of several hosts at once is stopped by none that refuses", async () => {
    await makeOtherHosts(guest, `rm ${hook} /var/lib/wasp/install.json`);
    await guest.must(`mkdir /run/hosts/third/root${hook}`);
    const hosts = ["first", ...otherHosts] as const;
    const { exitCode, stdout } = await administrator.wasp("install", ["--only", "hook", "-o", "json"], hosts);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).hosts).toMatchObject([
      { host: "first", result: "done", report: { outcome: "nothing-to-do" } },
      { host: "second", result: "done", report: { outcome: "installed" } },
      { host: "third", result: "failed", reason: expect.stringContaining(`${hook} is not a regular file`) },
    ]);
    expect(await guest.must(`cmp ${hook} /run/hosts/second/root${hook}`)).toBe("");
    await guest.must("umount --recursive /run/hosts/*");
  });

  test("is undone as if it had never been, and containers swap no more", async () => {
    const keep = podmanRun("crun", burstable, ["--detach", "--name", "kept"], "sleep infinity");
    await guest.must(keep);
    const cgroup = "$(sed s/^0::// /proc/$(podman inspect --format '{{.State.Pid}}' kept)/cgroup)";
    const limit = `cat /sys/fs/cgroup${cgroup}/memory.swap.max`;
    expect(Number(await guest.must(limit))).toBeGreaterThan(0);
    expect(await administrator.wasp("uninstall")).toMatchObject(succeeded);
    expect(await guest.must(limit)).toBe("0\n");
    await guest.must("podman rm --force --time 0 kept");
    expect(await listing(guest)).toBe(fresh);
    expect(await swaps()).toEqual([]);
    expect(await systemSliceLimit()).toBe("max\n");
    expect(await guest.must("systemctl list-units --all --no-legend '*wasp*'")).toBe("");
  });
});
