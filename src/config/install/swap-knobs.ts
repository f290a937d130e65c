import * as v from "valibot";
import {
  DEFAULT_SWAP_FILE,
  type SwapOptions,
  type SwapSize,
  type SwapTarget,
} from "../../install/engine/options.ts";
import { refuseBoth } from "../flags.ts";
import { optionalKnob, switchKnob } from "../knob.ts";
import { AbsolutePathSchema, QuantitySchema, textSchema, wholeNumberSchema } from "../value-schemas.ts";

// The script and the units contain the path unquoted: no character may be special to a shell or to systemd.
function plainPathSchema(characters: RegExp, complaint: string) {
  return v.pipe(
    AbsolutePathSchema,
    v.regex(characters, complaint),
    v.check(
      (path) => !/\/\.{0,2}(\/|$)/.test(path),
      "is not a normalized path: it contains //, /. or /.., or ends with /",
    ),
  );
}

const FilePathSchema = plainPathSchema(/^[\w.:+@,=~/-]+$/, "is not a path of letters, digits and _.:+@,=~-");
// udev spells other characters in names as \x20.
const DevicePathSchema = plainPathSchema(
  /^\/dev\/(?:[\w.:+@,=~#/-]|\\x[0-9a-f]{2})+$/,
  "is not a device path such as /dev/disk/by-id/nvme-1",
);

const PercentSchema = v.pipe(
  textSchema(/^\d{3,4}%$/, "is not a percentage such as 150%"),
  v.transform((text) => Number.parseInt(text, 10)),
  v.minValue(101, "is not more than 100%, so it would give no swap"),
  v.maxValue(1000, "is more than 1000%"),
);

/** Knobs of a node's swap. */
export const INSTALL_SWAP_KNOBS = {
  swapFile: optionalKnob(
    FilePathSchema,
    `Create this file and swap to it; with a size alone, ${DEFAULT_SWAP_FILE}`,
  ),
  swapDevice: optionalKnob(
    DevicePathSchema,
    "Swap to the whole of this disk or partition, which must be empty",
  ),
  zram: switchKnob("Swap to compressed memory (zram)"),
  swapSizeBytes: optionalKnob(QuantitySchema, "Size of the swap, as in 8Gi; for a device, its minimum size"),
  overcommit: optionalKnob(
    PercentSchema,
    "Memory and swap together as a percentage of the node's memory, as in 150% for swap of half the memory",
  ),
  swapPriority: optionalKnob(
    wholeNumberSchema(0, 32_767),
    "Priority of the swap: the kernel fills the highest one first; unset, the kernel's choice",
  ),
  encrypt: switchKnob("Encrypt the device with a random key that is lost when the node stops"),
};

type SwapKnobs = v.InferOutput<v.ObjectSchema<typeof INSTALL_SWAP_KNOBS, undefined>>;

/** Returns the swap options of a command line; throws an Error that names the flags that exclude one another. */
export function swapOptions(knobs: SwapKnobs): SwapOptions {
  const { swapFile, swapDevice, zram, swapSizeBytes, overcommit, encrypt } = knobs;
  refuseBoth({ "--swap-file": swapFile, "--swap-device": swapDevice, "--zram": zram || undefined });
  refuseBoth({ "--swap-size": swapSizeBytes, "--overcommit": overcommit });
  if (encrypt && swapDevice === undefined)
    throw new Error(
      "--encrypt is only valid with --swap-device: a file cannot be encrypted, and zram stores nothing on disk",
    );
  const target = swapTargetOf(knobs);
  const size = swapSizeOf(knobs);
  if (target === undefined && size === undefined && knobs.swapPriority !== undefined)
    throw new Error("--swap-priority needs --swap-file, --swap-device, --zram, --swap-size or --overcommit");
  return { target, size, priority: knobs.swapPriority };
}

function swapTargetOf({ swapFile, swapDevice, zram, encrypt }: SwapKnobs): SwapTarget | undefined {
  if (swapFile !== undefined) return { kind: "file", path: swapFile };
  if (swapDevice !== undefined) return { kind: "device", path: swapDevice, isEncrypted: encrypt };
  return zram ? { kind: "zram" } : undefined;
}

function swapSizeOf({ swapSizeBytes, overcommit }: SwapKnobs): SwapSize | undefined {
  if (swapSizeBytes !== undefined) return { kind: "bytes", bytes: swapSizeBytes };
  return overcommit === undefined ? undefined : { kind: "overcommit", percent: overcommit };
}
