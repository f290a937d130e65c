import { describe, expect, test } from "bun:test";
import { readSystemSliceFacts } from "../../../src/install/system-slice/read.ts";
import { imageHost } from "../../../src/install/target/host.ts";
import { InstallHost } from "../../node/install-host.ts";
import { PROGRAM, readOnHost } from "../read-on-host.ts";

describe("swap", () => {
  const SWAPS = `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/zram0                              partition\t1048572\t\t0\t\t100
/srv/a\\040file                          file\t\t1048572\t\t0\t\t-2
`;

  test("that is on is returned with the planned one", () => {
    const { swaps } = readOnHost(
      (host) => readSystemSliceFacts(host, ["/dev/sdb", "/dev/zram0"]),
      (host) => host.write("/proc/swaps", SWAPS),
    );
    expect(swaps).toEqual(["/dev/sdb", "/dev/zram0", "/srv/a file"]);
  });

  test("of the machine that prepares an image is not the image's", () => {
    using host = new InstallHost();
    host.write("/proc/swaps", SWAPS);
    expect(readSystemSliceFacts(imageHost(host.root, PROGRAM), ["/swapfile"]).swaps).toEqual(["/swapfile"]);
  });
});

describe("the protection of system.slice", () => {
  const table: readonly [string, Record<string, string>, boolean | undefined, boolean | undefined][] = [
    ["without its cgroup", {}, undefined, undefined],
    ["that is not in force", { "memory.swap.max": "max\n", "io.latency": "" }, false, false],
    ["in force", { "memory.swap.max": "0\n", "io.latency": "254:0 target=50000\n" }, true, true],
    ["with a target of 0", { "io.latency": "254:0 target=0\n" }, undefined, false],
  ];

  test.each(table)("%s", (_, files, isSwapDenied, hasLatencyTarget) => {
    const facts = readOnHost(
      (host) => readSystemSliceFacts(host, []),
      (host) => {
        for (const [name, text] of Object.entries(files))
          host.write(`/sys/fs/cgroup/system.slice/${name}`, text);
      },
    );
    expect(facts).toMatchObject({ isSwapDenied, hasLatencyTarget });
  });
});

describe("io.latency", () => {
  const at = (files: readonly string[]) =>
    readOnHost(
      (host) => readSystemSliceFacts(host, []).hasIoLatency,
      (host) => {
        for (const file of files) host.write(`/sys/fs/cgroup/${file}`, "cpu io memory\n");
      },
    );

  test.each<[readonly string[], boolean | undefined]>([
    [[], false],
    [["cgroup.controllers"], undefined],
    [["cgroup.controllers", "user.slice/io.stat"], false],
    [["cgroup.controllers", "system.slice/io.stat", "system.slice/io.latency"], true],
  ])("with %j is %p", (files, has) => {
    expect(at(files)).toBe(has);
  });
});
