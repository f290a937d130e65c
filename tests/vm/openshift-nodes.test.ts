/** What OpenShift's machine config operator makes of a node by wasp's manifests, on a real node that is started again. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { parseAllDocuments } from "yaml";
import { wasp } from "../node/binary.ts";
import { bootGuest } from "./guest.ts";
import { guestImage } from "./image.ts";

setDefaultTimeout(300_000);

const SWAP_FILE = "/var/lib/wasp/swapfile";

const guest = await bootGuest(await guestImage(), { isLasting: true });

afterAll(() => guest.stop());

interface IgnitionFile {
  readonly path: string;
  readonly contents: { readonly source: string };
}

interface IgnitionUnit {
  readonly name: string;
  readonly contents?: string;
  readonly enabled?: boolean;
  readonly dropins?: readonly { readonly name: string; readonly contents: string }[];
}

/** Writes files and units as the operator does, and enables those that say so. */
async function provision(manifests: string): Promise<void> {
  const write = (path: string, base64: string) =>
    guest.must(`mkdir -p $(dirname ${path}) && echo ${base64} | base64 -d >${path}`);
  for (const document of parseAllDocuments(manifests)) {
    const { storage, systemd } = document.toJS().spec.config ?? {};
    for (const { path, contents } of (storage?.files ?? []) as IgnitionFile[])
      await write(path, contents.source.replace(/^.*;base64,/, ""));
    for (const { name, contents, enabled, dropins = [] } of (systemd?.units ?? []) as IgnitionUnit[]) {
      const unit = `/etc/systemd/system/${name}`;
      if (contents !== undefined) await write(unit, btoa(contents));
      for (const dropin of dropins) await write(`${unit}.d/${dropin.name}`, btoa(dropin.contents));
      if (enabled) await guest.must(`systemctl enable ${name}`);
    }
  }
}

async function swapFile(): Promise<string> {
  return guest.must(`swapon --noheadings --bytes --show=NAME,SIZE | grep ${SWAP_FILE} | tr -s ' '`);
}

test("a node swaps after its first start and after its second, and its own services do not", async () => {
  const { exitCode, stdout } = await wasp(["install", "--print", "openshift", "--overcommit", "105%"]);
  expect(exitCode).toBe(0);
  await provision(stdout);
  await guest.reboot();
  const memoryKiB = Number(await guest.must("awk '/MemTotal/ { print $2 }' /proc/meminfo"));
  const bytes = Math.floor((memoryKiB * 5) / 100 / 1024) * 1024 ** 2;
  const made = await swapFile();
  expect(made).toBe(`${SWAP_FILE} ${bytes - 4096}\n`);
  await guest.reboot();
  expect(await swapFile()).toBe(made);
  expect(await guest.must("cat /sys/fs/cgroup/system.slice/memory.swap.max")).toBe("0\n");
  expect(await guest.must("systemctl list-units --failed --no-legend")).toBe("");
  expect(await guest.must("systemctl is-active wasp-swap.service swap.target")).toBe("active\nactive\n");
  // In force where the kernel has io.latency, whatever system.slice was told at its start: told again since.
  await guest.must("grep --quiet IODeviceLatency /run/systemd/system.control/system.slice.d/*");
  expect(await guest.must("systemctl show system.slice --property=IODeviceLatencyTargetUSec")).toContain(
    "/var/lib/wasp 50ms",
  );
});
