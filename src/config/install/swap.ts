import * as v from "valibot";
import {
  DEFAULT_SWAP_FILE,
  type SwapOptions,
  type SwapSize,
  type SwapTarget,
} from "../../install/engine/options.ts";
import { AbsolutePathSchema, QuantitySchema, SwitchSchema, wholeNumberSchema } from "../value-schemas.ts";

// The script and the units hold a path as it is: nothing in it may mean anything to a shell or to systemd.
function plainPathSchema(characters: RegExp, complaint: string) {
  return v.pipe(
    AbsolutePathSchema,
    v.regex(characters, complaint),
    v.check(
      (path) => !/\/\.{0,2}(\/|$)/.test(path),
      "is not a path without //, /. and /.. in it, and / at its end",
    ),
  );
}

const FilePathSchema = plainPathSchema(/^[\w.:+@,=~/-]+$/, "is not a path of letters, digits and _.:+@,=~-");
// udev spells other characters in names as \x20.
const DevicePathSchema = plainPathSchema(
  /^\/dev\/(?:[\w.:+@,=~#/-]|\\x[0-9a-f]{2})+$/,
  "is not a path of a device, such as /dev/disk/by-id/nvme-1",
);

const PercentSchema = v.pipe(
  v.string("is not a percentage such as 150%"),
  v.regex(/^\d{3,4}%$/, "is not a percentage such as 150%"),
  v.transform((text) => Number.parseInt(text, 10)),
  v.minValue(101, "leaves no room for swap: it is more than 100%"),
  v.maxValue(1000, "is more than 1000%"),
);

/** The knobs of a node's swap. */
export const INSTALL_SWAP_KNOBS = {
  swapFile: v.pipe(
    v.optional(FilePathSchema),
    v.description(`Swap to this file, which is made; where only a size is told, to ${DEFAULT_SWAP_FILE}`),
  ),
  swapDevice: v.pipe(
    v.optional(DevicePathSchema),
    v.description("Swap to all of this disk or partition, which must hold nothing"),
  ),
  zram: v.pipe(v.optional(SwitchSchema, false), v.description("Swap to compressed memory")),
  swapSizeBytes: v.pipe(
    v.optional(QuantitySchema),
    v.description("How much swap there is to be, as in 8Gi; of a device, the least that it must give"),
  ),
  overcommit: v.pipe(
    v.optional(PercentSchema),
    v.description(
      "How much of the node's memory pods may use in all, as in 150%: the swap is that less 100%, of the node's memory",
    ),
  ),
  swapPriority: v.pipe(
    v.optional(wholeNumberSchema(0, 32_767)),
    v.description("Which swap the kernel fills first: that of the highest priority; unset, its own choice"),
  ),
  encrypt: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Encrypt the device with a key that nobody keeps, and that is gone when the node stops"),
  ),
};

type SwapKnobs = v.InferOutput<v.ObjectSchema<typeof INSTALL_SWAP_KNOBS, undefined>>;

/** Tells what swap a command line asks for; throws an error that names the flags that cannot be meant together. */
export function swapOptions(knobs: SwapKnobs): SwapOptions {
  const { swapFile, swapDevice, zram, swapSizeBytes, overcommit, encrypt } = knobs;
  refuseBoth({ "--swap-file": swapFile, "--swap-device": swapDevice, "--zram": zram || undefined });
  refuseBoth({ "--swap-size": swapSizeBytes, "--overcommit": overcommit });
  if (encrypt && swapDevice === undefined)
    throw new Error(
      "--encrypt needs --swap-device: only a device can be encrypted, and zram leaves nothing behind",
    );
  const target = targetOf(knobs);
  const size = sizeOf(knobs);
  if (target === undefined && size === undefined && knobs.swapPriority !== undefined)
    throw new Error("--swap-priority: of what? say --swap-file, --swap-device or --zram, or a size");
  return { target, size, priority: knobs.swapPriority };
}

function refuseBoth(flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).filter((flag) => flags[flag] !== undefined);
  if (given.length > 1) throw new Error(`${given.join(" and ")}: only one of them can be meant`);
}

function targetOf({ swapFile, swapDevice, zram, encrypt }: SwapKnobs): SwapTarget | undefined {
  if (swapFile !== undefined) return { kind: "file", path: swapFile };
  if (swapDevice !== undefined) return { kind: "device", path: swapDevice, isEncrypted: encrypt };
  return zram ? { kind: "zram" } : undefined;
}

function sizeOf({ swapSizeBytes, overcommit }: SwapKnobs): SwapSize | undefined {
  if (swapSizeBytes !== undefined) return { kind: "bytes", bytes: swapSizeBytes };
  return overcommit === undefined ? undefined : { kind: "overcommit", percent: overcommit };
}
