import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { SwapTarget } from "../../../src/install/engine/options.ts";
import { swapSetup } from "../../../src/install/swap/setup.ts";
import { effectiveOptions, type SwapSpec, specInScript } from "../../../src/install/swap/spec.ts";

const FILE: SwapSpec = {
  target: { kind: "file", path: "/var/lib/wasp/swapfile" },
  size: { kind: "overcommit", percent: 150 },
  priority: undefined,
};
const DISK = "/dev/disk/by-id/nvme-eui.0025";

function setupOf(spec: SwapSpec) {
  const setup = swapSetup(spec);
  if (setup === undefined) throw new Error("no unit name for this path");
  const textOf = (name: string) => setup.units.find((unit) => unit.name === name)?.text;
  return { ...setup, names: setup.units.map(({ name }) => name), textOf };
}

describe("the units of a swap file", () => {
  const setup = setupOf(FILE);

  test("are one that makes it and one that turns it on, which swap.target wants", () => {
    expect(setup.units.map(({ name, wantedBy }) => [name, wantedBy])).toEqual([
      ["wasp-swap.service", undefined],
      ["var-lib-wasp-swapfile.swap", "swap.target"],
    ]);
    expect(setup.unitToStart).toBe("var-lib-wasp-swapfile.swap");
  });

  test("need its file system to be mounted, and nothing that comes after swap", () => {
    expect(setup.textOf("wasp-swap.service")).toBe(`[Unit]
Description=Make the swap area (wasp)
DefaultDependencies=no
RequiresMountsFor=/var/lib/wasp
After=systemd-remount-fs.service
Conflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/wasp/swap.sh make
ExecStop=/bin/sh /etc/wasp/swap.sh release
`);
  });

  test("are native to systemd", () => {
    expect(setup.textOf("var-lib-wasp-swapfile.swap")).toBe(`[Unit]
Description=Swap of this node (wasp)
Requires=wasp-swap.service
After=wasp-swap.service

[Swap]
What=/var/lib/wasp/swapfile

[Install]
WantedBy=swap.target
`);
  });
});

test("a device's units wait for the device, by its persistent name", () => {
  const { names, textOf } = setupOf({
    target: { kind: "device", path: DISK, isEncrypted: false },
    size: undefined,
    priority: 5,
  });
  expect(names).toEqual(["wasp-swap.service", "dev-disk-by\\x2did-nvme\\x2deui.0025.swap"]);
  expect(textOf("wasp-swap.service")).toContain(
    "BindsTo=dev-disk-by\\x2did-nvme\\x2deui.0025.device\nAfter=dev-disk-by\\x2did-nvme\\x2deui.0025.device\n",
  );
  expect(textOf(names[1] ?? "")).toContain(`What=${DISK}\nPriority=5\n`);
});

test("an encrypted device is swapped to by its mapping", () => {
  const setup = setupOf({
    target: { kind: "device", path: DISK, isEncrypted: true },
    size: undefined,
    priority: undefined,
  });
  expect(setup.textOf("dev-mapper-wasp\\x2dswap.swap")).toContain("What=/dev/mapper/wasp-swap\n");
  expect(setup.textOf("wasp-swap.service")).toContain("BindsTo=dev-disk-by\\x2did-nvme\\x2deui.0025.device");
  expect(setup.script.text).toContain("--type plain --cipher aes-xts-plain64 --key-size 512");
});

test("zram is made and turned on by one unit, before any disk is filled", () => {
  const setup = setupOf({ ...FILE, target: { kind: "zram" } });
  expect(setup.units.map(({ name, wantedBy }) => [name, wantedBy])).toEqual([
    ["wasp-swap.service", "swap.target"],
  ]);
  expect(setup.textOf("wasp-swap.service")).toContain("\nBefore=swap.target\n");
  expect(setup.textOf("wasp-swap.service")).toEndWith("\n[Install]\nWantedBy=swap.target\n");
  expect(setup.priority).toBe(100);
  expect(setup.script.text).toContain("priority='100'");
});

test.if(Bun.which("systemd-analyze") !== null).each<[string, SwapTarget]>([
  ["a file", FILE.target],
  ["a device", { kind: "device", path: DISK, isEncrypted: false }],
  ["an encrypted device", { kind: "device", path: DISK, isEncrypted: true }],
  ["zram", { kind: "zram" }],
])("systemd finds nothing wrong with the units of %s", async (_, target) => {
  const { units } = setupOf({ ...FILE, target });
  const folder = await mkdtemp(`${tmpdir()}/wasp-units-`);
  try {
    await Promise.all(units.map(({ name, text }) => Bun.write(`${folder}/${name}`, text)));
    const verify = Bun.spawnSync(
      ["systemd-analyze", "verify", "--man=no", ...units.map(({ name }) => `${folder}/${name}`)],
      { env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
    );
    expect(`${verify.stdout}${verify.stderr}`).toBe("");
    expect(verify.exitCode).toBe(0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe("a script has its specification", () => {
  const nothing = { target: undefined, size: undefined, priority: undefined };

  test.each<SwapSpec>([
    FILE,
    {
      target: { kind: "file", path: "/srv/swap" },
      size: { kind: "bytes", bytes: 8 * 1024 ** 3 },
      priority: 0,
    },
    { target: { kind: "device", path: DISK, isEncrypted: false }, size: undefined, priority: 32767 },
    { target: { kind: "device", path: DISK, isEncrypted: true }, size: undefined, priority: undefined },
    { target: { kind: "zram" }, size: { kind: "overcommit", percent: 200 }, priority: undefined },
  ])("%j, which is used until another one is requested", (spec) => {
    const { text } = setupOf(spec).script;
    expect(specInScript(text)).toEqual(spec);
    expect(effectiveOptions(nothing, text)).toEqual(spec);
    const other = { ...nothing, size: { kind: "bytes", bytes: 1 } } as const;
    expect(effectiveOptions(other, text)).toEqual(other);
  });

  test.each(["", "#!/bin/sh\nexit 0\n", "# Swap on the moon\n"])(
    "unless it is not a script of wasp: %j",
    (text) => {
      expect(specInScript(text)).toBeUndefined();
      expect(effectiveOptions(nothing, text)).toEqual(nothing);
    },
  );
});

test("a path without a unit name has no units", () => {
  expect(swapSetup({ ...FILE, target: { kind: "file", path: `/${"-".repeat(80)}` } })).toBeUndefined();
});
