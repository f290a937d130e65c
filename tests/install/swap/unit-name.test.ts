import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { unitNameOf } from "../../../src/install/swap/unit-name.ts";

describe("the unit of a path", () => {
  // Outputs of systemd-escape of systemd 252 and 257.
  test.each<[string, string]>([
    ["/var/lib/wasp/swapfile", "var-lib-wasp-swapfile.swap"],
    ["/dev/mapper/wasp-swap", "dev-mapper-wasp\\x2dswap.swap"],
    ["/dev/disk/by-id/nvme-eui.0025_ä", "dev-disk-by\\x2did-nvme\\x2deui.0025_\\xc3\\xa4.swap"],
    ["/dev/disk/by-id/dm-name-a\\x20b", "dev-disk-by\\x2did-dm\\x2dname\\x2da\\x5cx20b.swap"],
    ["/srv/a b/c:d@e", "srv-a\\x20b-c:d\\x40e.swap"],
    ["/.swap/.swap", "\\x2eswap-.swap.swap"],
    ["//a///b/./c/", "a-b-c.swap"],
    ["/", "-.swap"],
  ])("%s", (path, name) => {
    expect(unitNameOf(path, "swap")).toBe(name);
  });

  test.each(["relative", "", "/a/../b", "/..", `/${"a".repeat(251)}`, `/${"-".repeat(63)}`])(
    "%s has none",
    (path) => {
      expect(unitNameOf(path, "swap")).toBeUndefined();
    },
  );

  test.if(Bun.which("systemd-escape") !== null)("equals the output of systemd-escape, for any path", () => {
    const step = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
    const paths = fc
      .sample(fc.array(step, { minLength: 1, maxLength: 4 }), 200)
      .map((steps) => `/${steps.join("/")}`)
      .filter((path) => !/\0|\n|(^|\/)\.\.(\/|$)/.test(path) && unitNameOf(path, "swap") !== undefined);
    const { stdout, stderr } = Bun.spawnSync(["systemd-escape", "--path", "--suffix=swap", "--", ...paths]);
    expect(stderr.toString()).toBe("");
    const own = paths.map((path) => unitNameOf(path, "swap"));
    // It separates names by spaces, which no name contains.
    expect(stdout.toString().trim().split(" ")).toEqual(own as string[]);
  });
});
