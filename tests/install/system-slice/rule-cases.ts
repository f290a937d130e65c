import { MEMORY, type RuleCase, swapsOn, ZRAM } from "../check/rule-case.ts";
import { DROP_IN } from "../check/sound-facts.ts";

/** Cases of the rules on system.slice. */
export const SYSTEM_SLICE_CASES: readonly RuleCase[] = [
  [
    "system-slice",
    "may swap",
    { systemSlice: { swapMax: "max", ioLatency: "" } },
    "warning",
    "system.slice is max",
  ],
  ["system-slice", "none", { systemSlice: undefined }, "none", ""],
  ["system-slice-after-boot", "no file", { systemSliceFiles: [] }, "warning", "no file of system.slice"],
  [
    "system-slice-after-boot",
    "undone by a later file",
    {
      systemSliceFiles: [
        DROP_IN,
        { path: "/etc/systemd/system/system.slice.d/90.conf", text: "[Slice]\nMemorySwapMax=1G" },
      ],
    },
    "warning",
    "MemorySwapMax=1G in /etc/systemd/system/system.slice.d/90.conf",
  ],
  [
    "system-slice-after-boot",
    "taken back",
    {
      systemSliceFiles: [
        DROP_IN,
        { path: "/etc/systemd/system/system.slice.d/90.conf", text: "[Slice]\nMemorySwapMax=" },
      ],
    },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "in another section",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Unit]\nMemorySwapMax=0" }] },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "in a comment",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Slice]\n#MemorySwapMax=0\n; MemorySwapMax=0" }] },
    "warning",
    "no file",
  ],
  [
    "system-slice-after-boot",
    "until the next start",
    {
      systemSliceFiles: [
        { ...DROP_IN, path: "/run/systemd/system.control/system.slice.d/50-MemorySwapMax.conf" },
      ],
    },
    "warning",
    "gone after a restart of the node",
  ],
  [
    "system-slice-after-boot",
    "spelled with blanks and a unit",
    { systemSliceFiles: [{ ...DROP_IN, text: "[Slice]\r\n  MemorySwapMax = 0% \n" }] },
    "ok",
    "MemorySwapMax=0%",
  ],
  [
    "io-latency",
    "not to be had",
    { systemSlice: { swapMax: "0", ioLatency: undefined } },
    "warning",
    "has no io.latency",
  ],
  [
    "io-latency",
    "not set",
    { systemSlice: { swapMax: "0", ioLatency: "" } },
    "warning",
    "no io.latency target",
  ],
  [
    "io-latency",
    "set for another disk",
    { systemSlice: { swapMax: "0", ioLatency: "254:0 target=50000\n" } },
    "warning",
    "for the disk of /dev/dm-0",
  ],
  [
    "io-latency",
    "off",
    { systemSlice: { swapMax: "0", ioLatency: "254:16 target=0\n" } },
    "warning",
    "no io.latency",
  ],
  ["io-latency", "swap in memory", swapsOn([ZRAM, MEMORY]), "none", ""],
  ["io-latency", "no swap", { swaps: [] }, "none", ""],
  ["io-latency", "no slice", { systemSlice: undefined }, "none", ""],
  [
    "io-latency-after-boot",
    "no file",
    { systemSliceFiles: [] },
    "warning",
    "no file of system.slice that lasts",
  ],
  [
    "io-latency-after-boot",
    "until the next start",
    { systemSliceFiles: [{ ...DROP_IN, path: "/run/systemd/system/system.slice.d/a.conf" }] },
    "warning",
    "no file of system.slice that lasts",
  ],
  [
    "io-latency-after-boot",
    "swap in memory",
    { ...swapsOn([ZRAM, MEMORY]), systemSliceFiles: [] },
    "none",
    "",
  ],
];
