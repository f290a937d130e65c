import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Event, Fields } from "../../src/log/events.ts";
import type { ContainerUpdate, NriContainer, NriPod } from "../../src/nri/handlers.ts";
import { LimitHandlers } from "../../src/nri/limit-handlers.ts";
import { decideNriLimits } from "../../src/policy/limits/spec-limits.ts";
import type { MemoryQosConfig } from "../../src/policy/memory-qos/classes.ts";
import type { Unified } from "../../src/policy/memory-qos/files.ts";

const GI = 2 ** 30;
const RUNTIME = { name: "fake", version: "1", requestTimeoutMillis: 2000 };
const FILES = ["memory.high", "memory.swap.max"] as const;
const CLASS = "class.memory-qos.nri.io";

const configOf = (bronze: number | undefined, isHighListed = true): MemoryQosConfig => ({
  classes: bronze === undefined ? [] : [{ name: "bronze", swapLimitRatio: bronze }],
  unifiedAnnotations: isHighListed ? FILES : ["memory.swap.max"],
});

/** A runtime with its containers' specs, which applies each update at once. */
class Specs {
  readonly logged: [Event, Fields][] = [];
  config = configOf(0.5);
  handlers: LimitHandlers;
  readonly pods = new Map<string, NriPod>();
  readonly containers = new Map<string, NriContainer>();
  /** Values of each container's spec without wasp. */
  readonly originals = new Map<string, Unified>();
  /** True if the runtime applies the plugin's own updates. */
  areUpdatesMade = true;
  readonly asked: ContainerUpdate[] = [];
  /** Called when an unknown container starts. */
  catchingUp: Promise<unknown> | undefined;

  readonly #isRefusing: boolean;

  constructor(isRefusing = true) {
    this.#isRefusing = isRefusing;
    this.handlers = this.restart();
  }

  restart(): LimitHandlers {
    this.handlers = new LimitHandlers({
      decide: (pod, container) => decideNriLimits(pod, container, this.config, undefined),
      decideUpdate: (pod, container) => decideNriLimits(pod, container, this.config, undefined),
      isRefusing: () => this.#isRefusing,
      configure: () => {},
      onMissed: () => {
        this.catchingUp = this.handlers.refresh(this.update);
      },
      log: (event, fields) => this.logged.push([event, fields]),
    });
    this.connect();
    return this.handlers;
  }

  connect(): void {
    this.handlers.configure("", RUNTIME);
    for (const update of this.handlers.synchronize([...this.pods.values()], [...this.containers.values()]))
      this.#write(update);
  }

  create(number: number, annotations: Record<string, string>, original: Unified = {}): void {
    const [pod, container] = [podOf(number, annotations), containerOf(number, original)];
    const unified = this.handlers.createContainer(pod, container);
    this.pods.set(pod.id, pod);
    this.containers.set(container.id, { ...container, unified: { ...original, ...unified } });
    this.originals.set(container.id, original);
  }

  /** Makes a container without the plugin's knowledge, as containerd does while it writes what was synchronized. */
  createUnasked(number: number, annotations: Record<string, string>): void {
    const [pod, container] = [podOf(number, annotations), containerOf(number, {})];
    this.pods.set(pod.id, pod);
    this.containers.set(container.id, container);
    this.originals.set(container.id, {});
  }

  start(number: number): void {
    this.handlers.startedContainer(...this.#of(number));
  }

  resize(number: number, memoryLimitBytes: number | undefined): void {
    const [pod, container] = this.#of(number);
    const unified = this.handlers.updateContainer(pod, container, memoryLimitBytes);
    const resized = memoryLimitBytes === undefined ? container : { ...container, memoryLimitBytes };
    this.containers.set(container.id, resized);
    this.#write({ containerId: container.id, unified });
  }

  stop(number: number): void {
    const [pod, container] = this.#of(number);
    this.containers.delete(container.id);
    this.handlers.stopContainer(pod, container);
  }

  async reconfigure(config: MemoryQosConfig): Promise<void> {
    this.config = config;
    await this.handlers.refresh(this.update);
  }

  readonly update = async (updates: readonly ContainerUpdate[]): Promise<readonly string[]> => {
    this.asked.push(...updates);
    if (!this.areUpdatesMade) return updates.map(({ containerId }) => containerId);
    for (const update of updates) this.#write(update);
    return [];
  };

  specOf(number: number): Unified | undefined {
    return this.containers.get(`c${number}`)?.unified;
  }

  #of(number: number): [NriPod, NriContainer] {
    return [this.pods.get(`p${number}`) as NriPod, this.containers.get(`c${number}`) as NriContainer];
  }

  #write({ containerId, unified }: ContainerUpdate): void {
    const container = this.containers.get(containerId);
    if (container === undefined) throw new Error(`an update of ${containerId}, which is gone`);
    this.containers.set(containerId, { ...container, unified: { ...container.unified, ...unified } });
  }
}

function podOf(number: number, annotations: Record<string, string>): NriPod {
  const id = `p${number}`;
  return { id, name: id, namespace: "shop", uid: id, labels: {}, annotations };
}

function containerOf(number: number, unified: Unified): NriContainer {
  return {
    id: `c${number}`,
    podId: `p${number}`,
    name: "app",
    state: "running",
    memoryLimitBytes: GI,
    oomScoreAdj: undefined,
    cgroupsPath: "",
    unified,
  };
}

const BRONZE = { "memory.high": `${GI / 2}`, "memory.swap.max": "max" };

describe("a container that runs", () => {
  test("gets its limits when its creation was not reported", async () => {
    const specs = new Specs();
    specs.createUnasked(1, { [CLASS]: "bronze" });
    specs.start(1);
    await specs.catchingUp;
    expect(specs.specOf(1)).toEqual(BRONZE);
    specs.resize(1, 2 * GI);
    expect(specs.specOf(1)).toEqual({ ...BRONZE, "memory.high": `${GI}` });
  });

  test("is left as it is when its creation was reported", () => {
    const specs = new Specs();
    specs.create(1, { [CLASS]: "bronze" });
    specs.start(1);
    expect(specs.catchingUp).toBeUndefined();
    expect(specs.asked).toEqual([]);
  });
});

describe("a container with an invalid annotation", () => {
  const wrong = { [CLASS]: "bronze", "memory.low.memory-qos.nri.io": "1" };

  test("that was ignored at its start is resized by its valid ones", () => {
    const specs = new Specs(false);
    specs.create(1, wrong);
    specs.resize(1, 2 * GI);
    expect(specs.specOf(1)).toEqual({ ...BRONZE, "memory.high": `${GI}` });
  });

  test("that became invalid keeps all its limits until it is valid again", async () => {
    const specs = new Specs();
    specs.create(1, { [CLASS]: "bronze" });
    await specs.reconfigure(configOf(undefined));
    specs.resize(1, 2 * GI);
    expect(specs.specOf(1)).toEqual(BRONZE);
    await specs.reconfigure(configOf(0.75));
    expect(specs.specOf(1)).toEqual(BRONZE);
    expect(specs.logged.map(([event]) => event)).toContain("annotation-ignored");
  });

  test("that was refused is not known", () => {
    const specs = new Specs();
    expect(() => specs.create(1, wrong)).toThrow(
      "container app of pod shop/p1: memory.low.memory-qos.nri.io",
    );
    expect(specs.handlers.containers).toBe(0);
  });
});

describe("a changed configuration", () => {
  test("is applied again where the runtime failed to", async () => {
    const specs = new Specs();
    specs.create(1, { [CLASS]: "bronze" });
    specs.areUpdatesMade = false;
    specs.config = configOf(0.75);
    expect(await specs.handlers.refresh(specs.update)).toBe(false);
    expect(specs.logged.at(-1)).toMatchObject([
      "container-limits-failed",
      { error: "the runtime failed to update it" },
    ]);
    specs.areUpdatesMade = true;
    expect(await specs.handlers.refresh(specs.update)).toBe(true);
    expect(specs.specOf(1)).toEqual({ ...BRONZE, "memory.high": `${GI / 4}` });
  });

  test("waits for a connection", async () => {
    const specs = new Specs();
    specs.create(1, { [CLASS]: "bronze" });
    specs.handlers.disconnected();
    await specs.reconfigure(configOf(0.75));
    expect(specs.asked).toEqual([]);
    specs.connect();
    expect(specs.specOf(1)).toEqual({ ...BRONZE, "memory.high": `${GI / 4}` });
  });

  test("neither updates nor logs containers that went meanwhile", async () => {
    const specs = new Specs();
    for (const number of [1, 2, 3]) specs.create(number, { [CLASS]: "bronze" });
    specs.config = configOf(0.75);
    const asked: string[] = [];
    await specs.handlers.refresh(async ([update]) => {
      asked.push(update?.containerId ?? "");
      if (asked.length === 1) for (const number of [1, 2]) specs.stop(number);
      return asked.length === 1 ? ["c1"] : [];
    });
    expect(asked).toEqual(["c1", "c3"]);
    expect(specs.logged.filter(([, { id }]) => id === "c1").map(([event]) => event)).toEqual([
      "container-limits-set",
    ]);
  });

  test("is superseded by the next one", async () => {
    const specs = new Specs();
    for (const number of [1, 2, 3]) specs.create(number, { [CLASS]: "bronze" });
    const begun = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    specs.config = configOf(0.75);
    const first = specs.handlers.refresh(async (updates) => {
      begun.resolve();
      await going.promise;
      return specs.update(updates);
    });
    await begun.promise;
    specs.stop(2);
    const second = specs.reconfigure(configOf(0.25));
    going.resolve();
    await Promise.all([first, second]);
    expect(specs.asked.map(({ containerId, unified }) => [containerId, unified["memory.high"]])).toEqual([
      ["c1", `${GI / 4}`],
      ["c1", `${(GI * 3) / 4}`],
      ["c3", `${(GI * 3) / 4}`],
    ]);
  });
});

test("a restarted plugin recognizes the limits that it gave before", async () => {
  const specs = new Specs();
  specs.create(1, { [CLASS]: "bronze" });
  specs.restart();
  await specs.reconfigure(configOf(0));
  expect(specs.specOf(1)).toEqual({ "memory.high": "max", "memory.swap.max": "0" });
});

test("a runtime that does not report given limits gets them again", () => {
  const specs = new Specs();
  specs.create(1, { [CLASS]: "bronze" });
  specs.containers.set("c1", containerOf(1, {}));
  specs.handlers.disconnected();
  specs.connect();
  expect(specs.specOf(1)).toEqual(BRONZE);
});

describe("after any sequence of requests", () => {
  const number = fc.integer({ min: 1, max: 3 });
  const annotations = fc.dictionary(
    fc.constantFrom(
      CLASS,
      `${CLASS}/app`,
      "memory.high.memory-qos.nri.io",
      "memory.swap.max.memory-qos.nri.io",
    ),
    fc.constantFrom("bronze", "", "max", "4096"),
  );
  const original = fc.dictionary(fc.constantFrom(...FILES, "memory.low"), fc.constantFrom("7", "max"));
  const config = fc.constantFrom(
    configOf(0.5),
    configOf(0.25),
    configOf(0),
    configOf(undefined),
    configOf(0.5, false),
  );
  const event = fc.oneof(
    fc.tuple(fc.constant("create" as const), number, annotations, original),
    fc.tuple(fc.constant("resize" as const), number, fc.constantFrom(undefined, GI, 3 * GI)),
    fc.tuple(fc.constant("stop" as const), number),
    fc.tuple(fc.constant("reconfigure" as const), config),
    fc.tuple(fc.constant("reconnect" as const), config),
  );

  test("a container with valid annotations has their limits, any other one those that it had without wasp", async () => {
    const run = async (events: (typeof event extends fc.Arbitrary<infer E> ? E : never)[]) => {
      const specs = new Specs();
      const created = new Set<number>();
      for (const one of events) {
        if (one[0] === "create" && !created.has(one[1])) {
          try {
            specs.create(one[1], one[2], one[3]);
            created.add(one[1]);
          } catch {} // Refused.
        }
        if (one[0] === "resize" && created.has(one[1])) specs.resize(one[1], one[2]);
        if (one[0] === "stop" && created.delete(one[1])) specs.stop(one[1]);
        if (one[0] === "reconfigure") await specs.reconfigure(one[1]);
        if (one[0] === "reconnect") {
          specs.handlers.disconnected();
          await specs.reconfigure(one[1]);
          specs.connect();
        }
        expect(specs.handlers.containers).toBe(created.size);
        for (const [id, container] of specs.containers) {
          const pod = specs.pods.get(container.podId) as NriPod;
          const originally = specs.originals.get(id) as Unified;
          const limits = decideNriLimits(pod, { ...container, unified: originally }, specs.config, undefined);
          if (limits.problems.length > 0) continue;
          const untouched = { "memory.high": "max", "memory.swap.max": "0", ...originally };
          const expected = { ...untouched, ...limits.unified };
          expect({ ...untouched, ...container.unified }).toEqual(expected);
        }
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(event, { maxLength: 20 }), run), { numRuns: 1000 });
  });
});
