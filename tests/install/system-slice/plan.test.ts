import { describe, expect, test } from "bun:test";
import { planSystemSlice } from "../../../src/install/system-slice/plan.ts";
import { textOf } from "../plan-facts.ts";

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
    ["unless something else is known", {}, "changed"],
    ["not while its services may swap", { isSwapDenied: false }, "always"],
    ["not while the disk has no target", { isSwapDenied: true, hasLatencyTarget: false }, "always"],
    ["with both settings", { isSwapDenied: true, hasLatencyTarget: true }, "changed"],
  ])("in force %s", (_, facts, when) => {
    const plan = planSystemSlice({ ...unknown, swaps: ["/dev/sdb"], ...facts });
    expect(plan.steps.slice(-2)).toMatchObject([
      { kind: "command", when },
      { argv: ["systemctl", "daemon-reload"], when },
    ]);
  });

  test("gets its disks again at each start, once they have their names", () => {
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
