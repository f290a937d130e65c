import { describe } from "bun:test";
import { type Breakage, testBreakages } from "../check/checked-host.ts";

const SLICE = "/sys/fs/cgroup/system.slice";
const SLICE_DROP_INS = "/etc/systemd/system/system.slice.d";

const BREAKAGES: readonly Breakage[] = [
  [
    "system-slice",
    "may swap",
    (host) => host.write(`${SLICE}/memory.swap.max`, "max\n"),
    "warning",
    "is max",
  ],
  [
    "system-slice-after-boot",
    "no drop-in",
    (host) => host.remove(SLICE_DROP_INS),
    "warning",
    "no file of system.slice",
  ],
  [
    "system-slice-after-boot",
    "undone by systemctl set-property",
    (host) =>
      host.write(
        "/etc/systemd/system.control/system.slice.d/50-MemorySwapMax.conf",
        "[Slice]\nMemorySwapMax=infinity\n",
      ),
    "ok",
    "50-wasp.conf",
  ],
  [
    "system-slice-after-boot",
    "undone by a file with a later name",
    (host) =>
      host.write("/usr/lib/systemd/system/system.slice.d/90-site.conf", "[Slice]\nMemorySwapMax=1G\n"),
    "warning",
    "/usr/lib/systemd/system/system.slice.d/90-site.conf",
  ],
  [
    "system-slice-after-boot",
    "masked by a file of its name",
    (host) => host.write("/run/systemd/system.control/system.slice.d/50-wasp.conf", ""),
    "warning",
    "no file of system.slice",
  ],
  [
    "io-latency",
    "not set",
    (host) => host.write(`${SLICE}/io.latency`, ""),
    "warning",
    "for the disk of /dev/dm-0",
  ],
  [
    "io-latency",
    "not to be had",
    (host) => host.remove(`${SLICE}/io.latency`),
    "warning",
    "has no io.latency",
  ],
  [
    "io-latency-after-boot",
    "not in the drop-in",
    (host) => host.write(`${SLICE_DROP_INS}/50-wasp.conf`, "[Slice]\nMemorySwapMax=0\n"),
    "warning",
    "no file of system.slice that lasts",
  ],
];

describe("a host with a fault of system.slice", () => testBreakages(BREAKAGES));
