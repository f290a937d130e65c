import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { containerRootfs } from "./image-recipe.ts";
import { startNode } from "./node.ts";

const podSlice = "kubepods-burstable-pod0f5c2a4e_0001.slice";

const guest = await startNode();

describe("the node", () => {
  test("has no failed units", async () => {
    expect(await guest.must("systemctl is-system-running")).toBe("running\n");
  });

  test("has cgroup v2 with the memory controller", async () => {
    expect(await guest.must("cat /sys/fs/cgroup/cgroup.controllers")).toContain("memory");
  });

  test("measures memory pressure", async () => {
    expect(await guest.must("cat /proc/pressure/memory")).toMatch(/^some avg10=.*\nfull avg10=.*\n$/);
  });

  test("swaps to a file of 1 GiB", async () => {
    const swap = await guest.must("swapon --show=NAME,SIZE --bytes --noheadings");
    // The first page of the file is its header.
    expect(swap.trim().split(/\s+/)).toEqual(["/swapfile", `${1024 ** 3 - 4096}`]);
  });

  test("has the host's time", async () => {
    const now = Number(await guest.must("date +%s"));
    expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(5);
  });
});

describe("a script", () => {
  test("returns its exit code and both outputs", async () => {
    const outcome = await guest.run(`echo "it's out"; echo err >&2; exit 3`);
    expect(outcome).toEqual({ code: 3, stdout: "it's out\n", stderr: "err\n" });
  });

  test("reads its standard input", async () => {
    expect(await guest.must("wc -c", { stdin: new Uint8Array(1_000_000) })).toBe("1000000\n");
  });

  test("is killed after its time-out", async () => {
    expect((await guest.run("sleep infinity", { timeoutSeconds: 1 })).code).toBe(124);
  });

  test("that fails throws with its output", async () => {
    await expect(guest.must("echo why >&2; false")).rejects.toThrow(/ended with 1 .*\nwhy/);
  });
});

test("a pushed file has its content and mode", async () => {
  const folder = await mkdtemp(join(tmpdir(), "wasp-push-"));
  try {
    await writeFile(join(folder, "file"), new Uint8Array(1_000_000).fill(7));
    await guest.push(join(folder, "file"), "/opt/it's here/file", 0o640);
    const stat = await guest.must(`stat --format '%a %s' "/opt/it's here/file"`);
    expect(stat).toBe("640 1000000\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});

describe.each(["runc", "crun"])("a container under %s", (runtime) => {
  const record = `/run/hook-${runtime}`;

  beforeAll(async () => {
    const hook = {
      version: "1.0.0",
      hook: { path: `${record}/hook` },
      when: { always: true },
      stages: ["createRuntime"],
    };
    await guest.must(`mkdir -p ${record}/hooks.d; cat > ${record}/hooks.d/hook.json`, {
      stdin: JSON.stringify(hook),
    });
    await guest.must(`cat > ${record}/hook; chmod +x ${record}/hook`, { stdin: recordingHook(record) });
  });

  test("starts in the pod's slice after its hook", async () => {
    const output = await guest.must(podmanRun(runtime, `${record}/hooks.d`, "cat /proc/self/oom_score_adj"));
    expect(output).toBe("984\n");
    const state = JSON.parse(await guest.must(`cat ${record}/state`));
    expect(state).toMatchObject({ annotations: { "wasp.io/swap-limit": "64Mi" }, pid: expect.any(Number) });
    const cgroup = await guest.must(`cat ${record}/cgroup`);
    expect(cgroup).toContain(`/kubepods.slice/kubepods-burstable.slice/${podSlice}/libpod-${state.id}.scope`);
  });
});

function recordingHook(folder: string): string {
  return `#!/bin/sh
cat > ${folder}/state
cat /proc/$(jq .pid ${folder}/state)/cgroup > ${folder}/cgroup
`;
}

function podmanRun(runtime: string, hooksFolder: string, command: string): string {
  const global = `--runtime ${runtime} --cgroup-manager systemd --hooks-dir ${hooksFolder}`;
  const pod = `--cgroup-parent ${podSlice} --oom-score-adj 984 --annotation wasp.io/swap-limit=64Mi`;
  return `podman ${global} run --rm --network none ${pod} --rootfs ${containerRootfs} ${command}`;
}
