/** `wasp install` and `wasp uninstall` on a real host: over ssh, through restarts and power cuts. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Finding } from "../../src/install/finding/finding.ts";
import { patience } from "../patience.ts";
import { Administrator } from "./administrator.ts";
import { effectiveLimit, podmanRun, startContainer } from "./container.ts";
import { type ExpectedFinding, faults, oldKernelFindings, onOldKernel } from "./faults.ts";
import { listing, makeFresh, makeOtherHosts, otherHosts } from "./fresh-host.ts";
import { Guest } from "./guest.ts";
import { guestImage } from "./image.ts";
import { addServices, removeServices, WITH_SPARE } from "./node-services.ts";
import { oomScoreAdjOf32MiB, podSlices, swapShares } from "./pods.ts";

// Longer than a restart may take: a test that ends during one would leave it to the next test.
setDefaultTimeout(patience(3600));

const image = await guestImage();
const guest = await Guest.start(image, { isLasting: true });
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

/** Listing of the host before wasp changed anything. */
let fresh: string;

beforeAll(async () => {
  await makeFresh(guest);
  fresh = await listing(guest);
});

/** Runs a check on the guest; returns the findings that are not ok. */
async function check(
  command = (wasp: string) => wasp,
): Promise<{ exitCode: number; bad: readonly Finding[] }> {
  const { code, stdout, stderr } = await guest.run(
    `${WITH_SPARE}; ${command("wasp install --check -o json")}`,
  );
  if (stdout === "") throw new Error(`wasp install --check printed nothing: ${stderr}`);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { exitCode: code, bad: findings.filter(({ severity }) => severity !== "ok") };
}

const idsOf = (findings: readonly Finding[]) => findings.map(({ severity, id }) => `${severity}: ${id}`);

/** Reads the active swap areas. */
async function swaps(): Promise<string[]> {
  const lines = await guest.must("swapon --show=NAME,TYPE --noheadings");
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.trim().replace(/ +/, " "));
}

const systemSliceLimit = () => guest.must("cat /sys/fs/cgroup/system.slice/memory.swap.max");

/** Reads the latency target that was set at systemd since the last boot; this kernel does not show its own. */
const latencyTarget = () =>
  guest.must(`set -e
    grep --quiet IODeviceLatency /run/systemd/system.control/system.slice.d/*
    systemctl show --property=IODeviceLatencyTargetUSec --value system.slice`);

/** Expects findings, each with the right value and a remedy. */
function expectFindings(bad: readonly Finding[], findings: readonly ExpectedFinding[]): void {
  for (const { id, severity, found, remedy } of findings) {
    const withRemedy = remedy === undefined ? {} : { remedy: expect.stringContaining(remedy) };
    const finding = {
      id,
      severity,
      found: expect.stringContaining(found),
      right: expect.stringMatching(/./),
    };
    expect(bad).toContainEqual(expect.objectContaining({ ...finding, ...withRemedy }));
  }
}

/** Starts an installation, and cuts the guest's power once a script in it ends. */
async function cutOnce(script: string): Promise<void> {
  const run = administrator.wasp("install", swapFlags);
  await guest.must(script, { timeoutSeconds: INSTALL_SECONDS });
  await guest.cutPower();
  expect((await run).exitCode).not.toBe(0);
}

// The executable is sent over ssh first, which the emulated processors encrypt and decrypt.
const INSTALL_SECONDS = 600;

// Waits without a process for each look: a hundred a second would keep a processor from the installation.
const untilThere = (path: string) =>
  `exec {silence}<> <(:); until [ -e ${path} ]; do read -r -t 0.01 -u $silence || :; done`;

describe("a host without wasp", () => {
  test("fails the check, which changes nothing", async () => {
    const { exitCode, stdout } = await administrator.wasp("install", ["--check", "-o", "json"]);
    expect(exitCode).toBe(1);
    const [{ report }] = JSON.parse(stdout).hosts;
    const errors = report.findings.filter(({ severity }: { severity: string }) => severity === "error");
    expect(errors.map(({ id }: { id: string }) => id)).toEqual(["swap", "binary", "hook"]);
    expect(await listing(guest)).toBe(fresh);
  });

  test("is unchanged after a power cut during an installation and an uninstallation", async () => {
    await cutOnce(untilThere("/etc/systemd/system/system.slice.d/50-wasp.conf"));
    expect(await listing(guest)).not.toBe(fresh);
    expect(await administrator.wasp("uninstall")).toMatchObject(succeeded);
    expect(await listing(guest)).toBe(fresh);
  });
});

describe("an installation", () => {
  test("that a power cut ended is completed by the next one, and its swap by the boot between them", async () => {
    // The script stops here, while the file still has its draft's name.
    const stuck = "#!/bin/sh\\ntouch /run/stuck/here\\nexec sleep 600\\n";
    await guest.must(`set -e
      mkdir /run/stuck
      printf '${stuck}' > /run/stuck/mkswap
      chmod +x /run/stuck/mkswap
      ln -s /run/stuck/mkswap /usr/local/bin`);
    await cutOnce(`${untilThere("/run/stuck/here")}; ls ${swapFile}.new`);
    await guest.must("rm /usr/local/bin/mkswap");
    expect(await swaps()).toEqual([`${swapFile} file`]);
    expect(await administrator.wasp("install", swapFlags)).toMatchObject(succeeded);
  });

  test("takes effect at once", async () => {
    expect(await swaps()).toEqual([`${swapFile} file`]);
    expect(await systemSliceLimit()).toBe("0\n");
    expect((await guest.run("ls -A /var/lib/wasp; ls -d /var/lib/.wasp*")).stdout).toBe(
      "install.json\nswapfile\n",
    );
  });

  test("takes effect after a restart of the host", async () => {
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

  test("has nothing to do the second time", async () => {
    const before = await listing(guest);
    expect(await guest.must(`wasp install ${swapFlags.join(" ")}`)).toEqual(nothingToDo);
    expect(await listing(guest)).toBe(before);
  });

  test("passes the check, except for what an installation cannot provide", async () => {
    const { exitCode, bad } = await check();
    // Debian's kernel has no io.latency.
    const known = ["note: swap-disk", "warning: swap-encryption", "warning: io-latency"];
    expect(idsOf(bad)).toEqual([...known, "unknown: kubelet", "warning: agent"]);
    expect(exitCode).toBe(3);
  });

  describe("among a node's services", () => {
    let known: readonly string[];
    beforeAll(async () => {
      await addServices(guest);
      await guest.must(`wasp install ${swapFlags.join(" ")} --restart`);
      const { bad } = await check();
      known = idsOf(bad);
    });
    afterAll(() => removeServices(guest));

    test("passes the check", () => {
      expect(known).toEqual(["note: swap-disk", "warning: swap-encryption", "warning: io-latency"]);
    });

    test.each(Object.entries(faults))("fails the check, and its remedies repair it: %s", async (_, group) => {
      const findings = group.flatMap((fault) => fault.findings);
      await guest.must(group.map(({ cause }) => cause).join("\n"));
      const { bad, exitCode } = await check();
      expectFindings(bad, findings);
      expect(exitCode).toBe(findings.some(({ severity }) => severity === "error") ? 1 : 3);
      const repairs = group.flatMap(
        ({ repair, findings }) => repair ?? findings.map(({ remedy = "" }) => remedy),
      );
      await guest.must(["set -e", WITH_SPARE, ...new Set(repairs)].join("\n"));
      expect(idsOf((await check()).bad)).toEqual([...known]);
    });

    test("fails the check on an old kernel", async () => {
      const { bad, exitCode } = await check(onOldKernel);
      expectFindings(bad, oldKernelFindings);
      expect(exitCode).toBe(1);
    });
  });

  const hook = "/usr/share/containers/oci/hooks.d/wasp-swap.json";
  test("of several hosts continues when one of them fails", async () => {
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

  test("is undone without a trace, and containers lose their swap", async () => {
    const keep = podmanRun("crun", burstable, ["--detach", "--name", "kept"], "sleep infinity");
    await guest.must(keep);
    const cgroup = "$(sed s/^0::// /proc/$(podman inspect --format '{{.State.Pid}}' kept)/cgroup)";
    const limit = `cat /sys/fs/cgroup${cgroup}/memory.swap.max`;
    const given = await guest.must(limit);
    expect(Number(given)).toBeGreaterThan(0);
    await guest.must("wasp uninstall --only hook --limits Keep");
    expect(await guest.must(limit)).toBe(given);
    await guest.must("wasp install --only hook");
    expect(await administrator.wasp("uninstall")).toMatchObject(succeeded);
    expect(await guest.must(limit)).toBe("0\n");
    await guest.must("podman rm --force --time 0 kept");
    expect(await listing(guest)).toBe(fresh);
    expect(await swaps()).toEqual([]);
    expect(await systemSliceLimit()).toBe("max\n");
    expect(await guest.must("systemctl list-units --all --no-legend '*wasp*'")).toBe("");
  });
});
