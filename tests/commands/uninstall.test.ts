import { describe, expect, test } from "bun:test";
import { WASP } from "../node/binary.ts";
import { InstallHost } from "../node/install-host.ts";
import { containerIdOf, podPath, podUidOf } from "../node/kubepods-tree.ts";

const HOOK = "/usr/share/containers/oci/hooks.d/wasp-swap.json";
const BINARY = "/usr/local/bin/wasp";
const SLICE = "/etc/systemd/system/system.slice.d/50-wasp.conf";

/** Returns a host with wasp installed. */
async function installed(): Promise<InstallHost> {
  const host = new InstallHost();
  await host.wasp("install");
  return host;
}

describe("wasp uninstall", () => {
  test("keeps files that were changed since, and reports them", async () => {
    using host = await installed();
    host.write(SLICE, "[Slice]\nMemorySwapMax=1G\n");
    const { exitCode, stdout } = await host.wasp("uninstall");
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`kept ${SLICE}: it was changed since wasp wrote it\n`);
    expect(host.read(SLICE)).toBe("[Slice]\nMemorySwapMax=1G\n");
    expect(Object.keys(host.listing())).not.toContain("/var/lib/wasp");
  });

  test("keeps a folder with files of others", async () => {
    using host = await installed();
    host.write("/etc/systemd/system/theirs.service", "[Unit]\n");
    await host.wasp("uninstall");
    const left = Object.keys(host.listing()).filter((path) => path.startsWith("/etc/systemd"));
    expect(left).toEqual(["/etc/systemd", "/etc/systemd/system", "/etc/systemd/system/theirs.service"]);
  });

  test("keeps an executable that existed before", async () => {
    using host = new InstallHost();
    await Bun.$`install -D -m 0755 ${WASP} ${host.root}${BINARY}`;
    const before = host.listing();
    await host.wasp("install");
    await host.wasp("uninstall");
    expect(host.listing()).toEqual(before);
  });

  test("removes the hook before the binary that it runs", async () => {
    using host = await installed();
    const { stdout } = await host.wasp("uninstall", "--dry-run");
    const lines = stdout.split("\n");
    expect(lines.indexOf(`remove ${HOOK}`)).toBe(0);
    expect(lines.indexOf(`remove ${BINARY}`)).toBeGreaterThan(lines.indexOf(`remove ${SLICE}`));
  });

  test("does not remove the binary without the hook", async () => {
    using host = await installed();
    const before = host.listing();
    const { exitCode, stderr } = await host.wasp("uninstall", "--only", "binary");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("the binary cannot be removed while the hook that runs it stays");
    expect(host.listing()).toEqual(before);
  });

  test.each(["", ".install.json.wasp-unfinished", "before/0123"])(
    "removes the files of an installation that was killed at its beginning: %j",
    async (name) => {
      using host = new InstallHost();
      const before = host.listing();
      if (name === "") host.makeFolder("/var/lib/wasp");
      else host.write(`/var/lib/wasp/${name}`, "{");
      expect((await host.wasp("uninstall")).stdout).toContain("nothing to do: ");
      expect(host.listing()).toEqual(before);
    },
  );

  test("undoes parts one by one", async () => {
    using host = new InstallHost();
    const before = host.listing();
    await host.wasp("install");
    await host.wasp("uninstall", "--only", "system-slice");
    expect(Object.keys(host.listing())).not.toContain("/etc/systemd");
    expect((await host.wasp("install")).stdout).toContain("installed: 3 changes");
    await host.wasp("uninstall", "--skip", "system-slice");
    await host.wasp("uninstall");
    expect(host.listing()).toEqual(before);
  });
});

const LAYOUT = { driver: "systemd", cgroupRoot: [] } as const;
const containers = [1, 2].map(
  (id) => `${podPath(LAYOUT, "Burstable", podUidOf(id))}/crio-${containerIdOf(id)}.scope`,
);

/** Returns a host with wasp installed and two containers, of which one may swap. */
async function withContainers(): Promise<InstallHost> {
  const host = await installed();
  for (const [index, path] of containers.entries()) {
    for (let folder = path; folder !== ""; folder = folder.slice(0, folder.lastIndexOf("/")))
      host.write(`/sys/fs/cgroup${folder}/memory.swap.max`, "max\n");
    host.write(`/sys/fs/cgroup${path}/memory.swap.max`, index === 0 ? "4096000\n" : "0\n");
  }
  return host;
}

const limitsOf = (host: InstallHost) =>
  containers.map((path) => host.read(`/sys/fs/cgroup${path}/memory.swap.max`).trim());

describe("the swap limits of running containers", () => {
  test("become 0", async () => {
    using host = await withContainers();
    const dry = await host.wasp("uninstall", "--dry-run");
    expect(dry.stdout).toContain("set the swap limit of 1 container to 0\n");
    expect(limitsOf(host)).toEqual(["4096000", "0"]);
    expect(await host.wasp("uninstall")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(limitsOf(host)).toEqual(["0", "0"]);
  });

  test.each<[string, (host: InstallHost) => void, readonly string[]]>([
    ["on request", () => {}, ["--limits", "Keep"]],
    ["if the hook is kept", () => {}, ["--only", "system-slice"]],
    [
      "if the kubelet sets them",
      (host) => {
        host.addProcess(7, "kubelet", ["kubelet", "--config", "/etc/kubelet.yaml"]);
        host.write("/etc/kubelet.yaml", "memorySwap: {swapBehavior: LimitedSwap}\n");
      },
      [],
    ],
  ])("are kept %s", async (_, change, flags) => {
    using host = await withContainers();
    change(host);
    expect(await host.wasp("uninstall", ...flags)).toMatchObject({ exitCode: 0, stderr: "" });
    expect(limitsOf(host)).toEqual(["4096000", "0"]);
  });

  test("are not set while an agent would set them again", async () => {
    using host = await withContainers();
    const agent = Bun.spawn(["flock", `${host.root}/sys/fs/cgroup`, "cat"], {
      stdin: "pipe",
      stdout: "pipe",
    });
    agent.stdin.write("runs\n");
    agent.stdin.flush();
    await agent.stdout.getReader().read();
    const { exitCode, stderr } = await host.wasp("uninstall");
    agent.stdin.end();
    await agent.exited;
    expect(exitCode).toBe(1);
    expect(stderr).toContain("a wasp agent is running on this host");
    expect(limitsOf(host)).toEqual(["4096000", "0"]);
  });
});
