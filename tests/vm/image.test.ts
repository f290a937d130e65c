import { beforeAll, describe, expect, test } from "bun:test";
import { wasp } from "../node/binary.ts";
import { imageCommand, loadImage } from "./agent-image.ts";
import { type Runtime, runtimes } from "./container.ts";
import { startNode } from "./node.ts";

const guest = await startNode();

beforeAll(() => loadImage(guest));

/** Returns the command that runs the image as the DaemonSet does, but without network. */
function podmanRun(runtime: Runtime, args: string[], env: Record<string, string> = {}): string {
  return imageCommand(runtime, { flags: ["--rm", "--network", "none"], env, args });
}

/** Returns the command that runs a script instead of the agent, with the only program in the image: the binary itself. */
function podmanScript(runtime: Runtime, script: string): string {
  return podmanRun(runtime, ["-e", `const fs = require("node:fs"); ${script}`], { BUN_BE_BUN: "1" });
}

/** Evaluates an expression instead of the agent; returns its value, or an error's code. */
async function evaluate(runtime: Runtime, expression: string): Promise<unknown> {
  const tried = `let result; try { result = ${expression}; } catch ({ code }) { result = code; }`;
  const script = `${tried} console.log(JSON.stringify(result ?? null));`;
  return JSON.parse(await guest.must(podmanScript(runtime, script)));
}

// Rights that a runtime makes are tested under both; that a file can be read, under one.
describe.each(runtimes)("the image under %s, with the DaemonSet's rights", (runtime) => {
  test("runs wasp", async () => {
    const { stdout } = await wasp(["--version"]);
    expect(await guest.must(podmanRun(runtime, ["--version"]))).toBe(stdout);
  });

  test("is root without capabilities, under seccomp, in a cgroup namespace", async () => {
    const status = String(await evaluate(runtime, `fs.readFileSync("/proc/self/status", "utf8")`));
    const field = (name: string) => status.match(new RegExp(`^${name}:\\s+(\\S+)`, "m"))?.[1];
    expect(field("Uid")).toBe("0");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) expect(field(set)).toMatch(/^0+$/);
    expect({ noNewPrivs: field("NoNewPrivs"), seccomp: field("Seccomp") }).toEqual({
      noNewPrivs: "1",
      seccomp: "2",
    });
    expect(await evaluate(runtime, `fs.readFileSync("/proc/self/cgroup", "utf8")`)).toBe("0::/\n");
  });

  if (runtime === "crun")
    test("cannot write to its own file system", async () => {
      expect(await evaluate(runtime, `fs.writeFileSync("/written", "")`)).toBe("EROFS");
    });

  test("writes the swap limit of another container's cgroup", async () => {
    const unit = `wasp-image-${runtime}.service`;
    await guest.must(`systemd-run --quiet --unit ${unit} --property MemorySwapMax=0 sleep infinity`);
    try {
      const file = `/sys/fs/cgroup/system.slice/${unit}/memory.swap.max`;
      expect(await guest.must(`cat ${file}`)).toBe("0\n");
      expect(await evaluate(runtime, `fs.writeFileSync("${file}", "8388608")`)).toBeNull();
      expect(await guest.must(`cat ${file}`)).toBe("8388608\n");
    } finally {
      await guest.must(`systemctl stop ${unit}`);
    }
  });

  if (runtime === "crun")
    test("is notified of a new cgroup on the node", async () => {
      const [name, record] = [`wasp-image-${runtime}`, `/run/wasp-image-${runtime}`];
      const watch = podmanScript(
        runtime,
        `fs.watch("/sys/fs/cgroup", (event, name) => { console.log(event, name); process.exit(); });
      console.log("watching");`,
      );
      const script = `${watch} > ${record} &
      until grep --quiet watching ${record}; do kill -0 $! && sleep 0.1 || exit; done
      mkdir /sys/fs/cgroup/${name}
      wait $!
      rmdir /sys/fs/cgroup/${name}
      cat ${record}`;
      expect(await guest.must(script)).toBe(`watching\nrename ${name}\n`);
    });

  if (runtime === "crun")
    test("reads the node's memory, swap, counters and pressure from its /proc", async () => {
      const read = async (file: string) =>
        String(await evaluate(runtime, `fs.readFileSync("/proc/${file}", "utf8")`));
      const totals = (meminfo: string) => meminfo.match(/^(MemTotal|SwapTotal): .*$/gm);
      const meminfo = totals(await read("meminfo"));
      expect(meminfo).toEqual(totals(await guest.must("cat /proc/meminfo")));
      expect(meminfo).toHaveLength(2);
      expect(await read("swaps")).toMatch(/^\/swapfile\s+file\s/m);
      expect(await read("vmstat")).toMatch(/^pswpin \d+\npswpout \d+$/m);
      expect(await read("pressure/memory")).toMatch(/^some avg10=.*\nfull avg10=.*\n$/);
    });

  // With nsdelegate, the kernel refuses writes to the limits of a cgroup namespace's root from inside of it.
  test("cannot write the swap limit of its own cgroup", async () => {
    const own = `fs.readdirSync("/sys/fs/cgroup/machine.slice").filter((name) => /^libpod-[0-9a-f]{64}/.test(name))
      .flatMap((scope) => [scope + "/container", scope]).map((level) => "/sys/fs/cgroup/machine.slice/" + level)
      .filter((folder) => fs.existsSync(folder))
      .find((folder) => fs.readFileSync(folder + "/cgroup.procs", "utf8").split("\\n").includes("" + process.pid))`;
    // systemd's mount options. A mount without them outside of a cgroup namespace, as by runc for a container that shares
    // the host's, removes the options from the whole node (kernel/cgroup/cgroup.c, cgroup_get_tree).
    await guest.must("mount --options remount,nsdelegate,memory_recursiveprot /sys/fs/cgroup");
    expect(await evaluate(runtime, `fs.writeFileSync(${own} + "/memory.swap.max", "0")`)).toBe("EPERM");
  });
});
