import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { readFlags } from "../../../src/config/flags.ts";
import { INSTALL_SWAP_KNOBS, swapOptions } from "../../../src/config/install/swap-knobs.ts";
import type { SwapOptions } from "../../../src/install/engine/options.ts";

const Schema = v.strictObject(INSTALL_SWAP_KNOBS);
const DISK = "/dev/disk/by-id/dm-name-a\\x20b";

const read = (...argv: string[]): SwapOptions => swapOptions(v.parse(Schema, readFlags(argv, Schema)));

describe("the swap flags", () => {
  test.each<[readonly string[], SwapOptions]>([
    [[], { target: undefined, size: undefined, priority: undefined }],
    [
      ["--overcommit", "150%"],
      { target: undefined, size: { kind: "overcommit", percent: 150 }, priority: undefined },
    ],
    [
      ["--swap-file", "/srv/swap.1", "--swap-size", "8Gi", "--swap-priority", "5"],
      {
        target: { kind: "file", path: "/srv/swap.1" },
        size: { kind: "bytes", bytes: 8 * 1024 ** 3 },
        priority: 5,
      },
    ],
    [
      ["--swap-device", DISK, "--encrypt"],
      { target: { kind: "device", path: DISK, isEncrypted: true }, size: undefined, priority: undefined },
    ],
    [
      ["--swap-device=/dev/sdb", "--swap-priority=0"],
      { target: { kind: "device", path: "/dev/sdb", isEncrypted: false }, size: undefined, priority: 0 },
    ],
    [
      ["--zram", "--overcommit=200%"],
      { target: { kind: "zram" }, size: { kind: "overcommit", percent: 200 }, priority: undefined },
    ],
  ])("%j", (argv, options) => {
    expect(read(...argv)).toEqual(options);
  });

  test.each<[readonly string[], string]>([
    [["--swap-file", "swap"], "is not an absolute path"],
    [["--swap-file", "/srv/my swap"], "is not a path of letters, digits and"],
    [["--swap-file", "/srv/it's"], "is not a path of letters, digits and"],
    [["--swap-file", "/srv/$HOME"], "is not a path of letters, digits and"],
    [["--swap-file", "/srv/\\x20"], "is not a path of letters, digits and"],
    [["--swap-file", "/srv/50%"], "is not a path of letters, digits and"],
    [["--swap-file", "/srv/../swap"], "is not a normalized path"],
    [["--swap-file", "/srv//swap"], "is not a normalized path"],
    [["--swap-file", "/srv/"], "is not a normalized path"],
    [["--swap-device", "/srv/disk"], "is not a device path"],
    [["--swap-device", "/dev/a\\b"], "is not a device path"],
    [["--swap-device", "/dev/a b"], "is not a device path"],
    [["--overcommit", "150"], "is not a percentage such as 150%"],
    [["--overcommit", "100%"], "is not more than 100%"],
    [["--overcommit", "1500%"], "is more than 1000%"],
    [["--swap-size", "lots"], "is not a quantity of bytes"],
    [["--swap-priority", "32768"], "is not a whole number from 0 to 32767"],
    [["--swap-file", "/a", "--zram"], "--swap-file and --zram exclude one another"],
    [["--swap-device", "/dev/a", "--swap-file", "/a"], "--swap-file and --swap-device exclude one another"],
    [["--swap-size", "1Gi", "--overcommit", "150%"], "--swap-size and --overcommit exclude one another"],
    [["--swap-file", "/a", "--encrypt"], "--encrypt is only valid with --swap-device"],
    [["--zram", "--encrypt"], "--encrypt is only valid with --swap-device"],
    [
      ["--swap-priority", "5"],
      "--swap-priority needs --swap-file, --swap-device, --zram, --swap-size or --overcommit",
    ],
  ])("%j is refused", (argv, complaint) => {
    expect(() => read(...argv)).toThrow(complaint);
  });
});
