/** What a real runtime does, on which `wasp nri` is built: if one of these fails, a runtime has changed its mind. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Containerd } from "./containerd.ts";
import { CriPod } from "./cri-pods.ts";
import { sharedGuest } from "./node.ts";

setDefaultTimeout(90_000);

const guest = await sharedGuest();
const MiB = 1024 ** 2;

let containerd: Containerd;

beforeAll(async () => {
  containerd = await Containerd.start(guest);
});

afterAll(async () => {
  await containerd?.[Symbol.asyncDispose]();
});

describe("without a plugin, a container", () => {
  let pod: CriPod;

  beforeAll(async () => {
    pod = await CriPod.run(guest, containerd, "plain");
  });

  afterAll(() => pod.remove());

  test("has no swap and no memory.high", async () => {
    const container = await pod.start({ name: "denied", memoryLimitBytes: 64 * MiB });
    expect(await container.files("memory.high", "memory.swap.max")).toEqual({
      "memory.high": "max",
      "memory.swap.max": "0",
    });
  });

  test("keeps through a resize what it was created with, whatever was written behind the runtime's back", async () => {
    const unified = { "memory.high": `${32 * MiB}`, "memory.swap.max": "max" };
    const container = await pod.start({ name: "told", memoryLimitBytes: 64 * MiB, unified });
    const files = ["memory.max", "memory.high", "memory.swap.max"] as const;
    expect(await container.files(...files)).toEqual({ "memory.max": `${64 * MiB}`, ...unified });
    await guest.must(`cd ${container.cgroup}; echo 50M > memory.high; echo 8M > memory.swap.max`);
    await container.resize(96 * MiB);
    expect(await container.files(...files)).toEqual({ "memory.max": `${96 * MiB}`, ...unified });
  });
});
