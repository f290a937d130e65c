/** `wasp nri` as a plugin of the node's containerd, and a pod with annotations for memory QoS. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Containerd, containerdVersions, nriFolders } from "./containerd.ts";
import { type CriContainer, CriPod } from "./cri-pods.ts";
import { scaledSeconds } from "./deadline.ts";
import { GuestService } from "./guest-service.ts";
import { startNode } from "./node.ts";
import { oomScoreAdjOf32MiB, swapShares } from "./pods.ts";
import { rejection } from "./rejection.ts";

const guest = await startNode();
const shareOfSwap = await swapShares(guest);
const MiB = 1024 ** 2;
const memoryLimitBytes = 64 * MiB;
const pluginName = "40-memory-qos";
const configFile = "/run/wasp-memory-qos.yaml";

/** All forms of annotations; suffixes are containers' names. */
const annotations = {
  "class.memory-qos.nri.io": "bronze",
  "class.memory-qos.nri.io/silver": "silver",
  "class.memory-qos.nri.io/out": "",
  "memory.swap.max.memory-qos.nri.io/own": "16Mi",
  "class.memory-qos.nri.io/direct": "",
  "memory.high.memory-qos.nri.io/direct": "40Mi",
  "memory.swap.max.memory-qos.nri.io/direct": `${8 * MiB}`,
  "class.memory-qos.nri.io/unknown": "gold",
  "memory.oom.group.memory-qos.nri.io/unlisted": "1",
  "memory.high.memory-qos.nri.io/wrong": "much",
  "class.memory-qos.nri.io/sharing": "",
};

const newestContainerd = containerdVersions.at(-1);

let containerd: Containerd;
let pod: CriPod;
let plugin: GuestService;

describe.each(containerdVersions)("under containerd %s", (version) => {
  beforeAll(async () => {
    await configure({ bronze: 0.5, silver: 0.25 });
    const { plugins, configurations } = nriFolders;
    // containerd reads the folders at its start.
    await guest.must(`mkdir --parents ${plugins} ${configurations}
      ln --symbolic /usr/local/bin/wasp ${plugins}/${pluginName}
      cp ${configFile} ${configurations}/${pluginName}.conf`);
    // The default time-outs are too short for an emulated processor.
    containerd = await Containerd.start(
      guest,
      { registrationSeconds: scaledSeconds(40), requestSeconds: scaledSeconds(20) },
      version,
    );
    pod = await CriPod.run(guest, containerd, "web-0", annotations);
  });

  afterAll(async () => {
    await containerd?.[Symbol.asyncDispose]();
    await guest.must(
      `rm --recursive --force ${nriFolders.plugins} ${nriFolders.configurations} ${configFile}`,
    );
  });

  test("containerd starts a plugin from a link in one folder, with a configuration from another", async () => {
    const isRunning = `pgrep --exact ${pluginName}`;
    await guest.must(isRunning);
    const container = await pod.start({ name: "launched", memoryLimitBytes });
    expect(await limitsOf(container)).toEqual(limits(memoryLimitBytes / 2, "max"));
    await guest.must(`rm --recursive ${nriFolders.plugins} ${nriFolders.configurations}`);
    await containerd.restart();
    // The plugin exits by itself.
    await guest.must(`while ${isRunning}; do sleep 0.1; done`, { timeoutSeconds: 60 });
  });

  describe("with a plugin that systemd runs, a container", () => {
    beforeAll(async () => {
      plugin = await startPlugin();
    });

    afterAll(() => plugin?.[Symbol.asyncDispose]());

    test("that starts while the plugin is dead gets its class when the plugin is back", async () => {
      await plugin.kill();
      const container = await pod.start({ name: "orphan", memoryLimitBytes });
      expect(await limitsOf(container)).toEqual(limits("max", 0));
      plugin = await startPlugin();
      await container.untilFiles(limits(memoryLimitBytes / 2, "max"));
    });

    test("that starts after a restart of containerd has its class", async () => {
      await containerd.connecting(pluginName, () => containerd.restart());
      const container = await pod.start({ name: "later", memoryLimitBytes });
      expect(await limitsOf(container)).toEqual(limits(memoryLimitBytes / 2, "max"));
    });

    test("that is running follows changes of its class", async () => {
      const container = await pod.start({ name: "followed", memoryLimitBytes });
      await configure({ bronze: 0.75, silver: 0.25 });
      await container.untilFiles(limits(memoryLimitBytes / 4, "max"));
      await configure({ bronze: 0.5, silver: 0.25 });
      await container.untilFiles(limits(memoryLimitBytes / 2, "max"));
    });

    test("has the pod's class", async () => {
      const container = await pod.start({ name: "plain", memoryLimitBytes });
      expect(await limitsOf(container)).toEqual(limits(memoryLimitBytes / 2, "max"));
    });

    test("keeps its share of the memory limit when that is changed", async () => {
      const container = await pod.start({ name: "resized", memoryLimitBytes });
      for (const bytes of [2 * memoryLimitBytes, memoryLimitBytes / 2]) {
        await container.resize(bytes);
        expect(await container.files("memory.max")).toEqual({ "memory.max": `${bytes}` });
        expect(await limitsOf(container)).toEqual(limits(bytes / 2, "max"));
      }
    });
  });

  // The rules of annotations do not depend on the version.
  const describeOnce = version === newestContainerd ? describe : () => {};
  describeOnce("by each form of annotation, a container", () => {
    beforeAll(async () => {
      plugin = await startPlugin();
    });

    afterAll(() => plugin?.[Symbol.asyncDispose]());

    test.each<[string, string, number | "max", number | "max"]>([
      ["has a class of its own", "silver", 48 * MiB, "max"],
      ["is excluded from the pod's class", "out", "max", 0],
      // With half of the limit as memory.high, it could neither use nor swap all of its memory.
      ["has the pod's class except for its own values", "own", 48 * MiB, 16 * MiB],
      ["has no class, and its own values", "direct", 40 * MiB, 8 * MiB],
    ])("%s", async (_, name, high, swap) => {
      const container = await pod.start({ name, memoryLimitBytes });
      expect(await limitsOf(container)).toEqual(limits(high, swap));
    });

    test.each([
      ["of an unknown class", "unknown", 'class.memory-qos.nri.io/unknown: "gold"', "bronze, silver"],
      [
        "with a file that is not listed",
        "unlisted",
        'memory.oom.group.memory-qos.nri.io/unlisted: "1"',
        "(allowed: memory.swap.max, memory.high)",
      ],
      ["with an invalid value", "wrong", 'memory.high.memory-qos.nri.io/wrong: "much"', "such as 512Mi"],
    ])("%s is refused with the reason", async (_, name, found, right) => {
      const refusal = await rejection(pod.create({ name, memoryLimitBytes }));
      expect(refusal).toContain(`container ${name} of pod default/web-0: ${found}`);
      expect(refusal).toContain(right);
    });

    test("of a class is refused without a memory limit", async () => {
      expect(await rejection(pod.create({ name: "unlimited" }))).toContain(
        'container unlimited of pod default/web-0: class.memory-qos.nri.io: "bronze" needs a memory limit',
      );
    });

    test("swaps what exceeds its share", async () => {
      // Random data, because the kernel does not swap pages of zeros.
      const script = "dd if=/dev/urandom of=/dev/shm/data bs=1M count=56; exec sleep infinity";
      const container = await pod.start({ name: "hog", memoryLimitBytes, script });
      await guest.must(`cd ${container.cgroup}
        until grep --quiet sleep /proc/$(head --lines=1 cgroup.procs)/comm; do sleep 0.1; done`);
      const usage = await container.files("memory.current", "memory.swap.current");
      expect(Number(usage["memory.swap.current"])).toBeGreaterThan(16 * MiB);
      expect(Number(usage["memory.current"])).toBeLessThan(40 * MiB);
    });
  });

  describe("with a plugin that grants swap and ignores invalid annotations, a container", () => {
    let lenient: GuestService;

    beforeAll(async () => {
      lenient = await serve("--swap-behavior=LimitedSwap", "--on-error=Ignore");
    });

    afterAll(() => lenient?.[Symbol.asyncDispose]());

    test("has its class although containerd was still applying the plugin's answer about others", async () => {
      await lenient.event("nri-synchronized", () => true, 40);
      const container = await pod.start({ name: "between", memoryLimitBytes });
      await container.untilFiles(limits(memoryLimitBytes / 2, "max"));
    });

    test("has its share of swap, and keeps it when its memory limit is changed", async () => {
      const oomScoreAdj = oomScoreAdjOf32MiB;
      const container = await pod.start({ name: "sharing", memoryLimitBytes, oomScoreAdj });
      expect(await limitsOf(container)).toEqual(limits("max", shareOfSwap(oomScoreAdj)));
      await container.resize(2 * memoryLimitBytes);
      expect(await limitsOf(container)).toEqual(limits("max", shareOfSwap(oomScoreAdj)));
    });

    test("of an unknown class starts without a class", async () => {
      const container = await pod.start({ name: "unknown", memoryLimitBytes });
      expect(await container.files("memory.high")).toEqual({ "memory.high": "max" });
      const { error } = await lenient.event(
        "annotation-ignored",
        ({ container: name }) => name === "unknown",
      );
      expect(error).toContain('"gold"');
    });
  });
});

function limits(
  high: number | "max",
  swap: number | "max",
): Record<"memory.high" | "memory.swap.max", string> {
  return { "memory.high": `${high}`, "memory.swap.max": `${swap}` };
}

async function limitsOf(container: CriContainer): Promise<ReturnType<typeof limits>> {
  return await container.files("memory.high", "memory.swap.max");
}

async function configure(ratios: Readonly<Record<string, number>>): Promise<void> {
  const classes = Object.entries(ratios).map(
    ([name, ratio]) => `- name: ${name}\n  swaplimitratio: ${ratio}\n  max: max\n`,
  );
  const text = `classes:\n${classes.join("")}unifiedannotations:\n- file: memory.swap.max\n  max: max\n- memory.high\n`;
  await guest.must(`cat > ${configFile}.new; mv ${configFile}.new ${configFile}`, { stdin: text });
}

async function startPlugin(): Promise<GuestService> {
  return await containerd.connecting(pluginName, () => serve());
}

async function serve(...flags: readonly string[]): Promise<GuestService> {
  return await GuestService.start(guest, "wasp-nri", "nri", [`--config=${configFile}`, ...flags]);
}
