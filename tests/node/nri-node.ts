import { renameSync, writeFileSync } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ContainerSchema, PodSandboxSchema } from "../../src/nri/api_pb.ts";
import { oomScoreAdjOf } from "../../src/policy/limits/oom-score-adj.ts";
import { type Behavior, FakeRuntime, type RuntimeSide } from "../nri/fake-runtime.ts";
import { FakeNode, RECORDED_NODE } from "./fake-node.ts";
import { RunningWasp } from "./running-wasp.ts";

/** Configuration of memory QoS by an administrator who permits pods all of it. */
const PERMISSIVE = `classes:
- { name: bronze, swaplimitratio: 0.5, max: max }
- { name: silver, swaplimitratio: 0.2, max: max }
unifiedannotations:
- { file: memory.swap.max, max: max }
- memory.high
`;

const LIMIT_BYTES = 2 ** 30;

/** Values of that class bronze for a container of subjectOf. */
export const BRONZE = { "memory.high": `${LIMIT_BYTES / 2}`, "memory.swap.max": "max" };

/** Options of a subject whose pod requests that class. */
export const bronze = { annotations: { "class.memory-qos.nri.io": "bronze" } };

/** Names of the first subject in the log. */
export const named = { namespace: "shop", pod: "web-1", container: "app", id: "container-1" };

/** Pod and one of its containers, as the runtime sends them. */
export interface Subject {
  readonly pod: MessageInitShape<typeof PodSandboxSchema>;
  readonly container: MessageInitShape<typeof ContainerSchema>;
}

/** Properties of a subject that tests set. */
export interface SubjectOptions {
  readonly annotations?: Record<string, string>;
  readonly namespace?: string;
  /** Undefined for none. */
  readonly memoryLimitBytes?: number | undefined;
  readonly memoryRequestBytes?: number;
  /** Unified settings that its spec already has. */
  readonly unified?: Record<string, string>;
  readonly podUid?: string;
  readonly podName?: string;
  readonly containerId?: string;
}

/** Returns a running container `app` of a Burstable pod `web-NUMBER`. */
export function subjectOf(number: number, options: SubjectOptions = {}): Subject {
  const { annotations = {}, namespace = "shop", unified = {}, memoryRequestBytes = 2 ** 26 } = options;
  const { podUid = `${number}`, podName = `web-${number}`, containerId = `container-${number}` } = options;
  const limitBytes = "memoryLimitBytes" in options ? options.memoryLimitBytes : LIMIT_BYTES;
  const oomScoreAdj = oomScoreAdjOf(memoryRequestBytes, RECORDED_NODE.memoryKibibytes * 1024);
  return {
    pod: { id: `pod-${number}`, name: podName, namespace, uid: podUid, annotations },
    container: {
      id: containerId,
      podSandboxId: `pod-${number}`,
      name: "app",
      state: 3,
      linux: {
        resources: {
          memory: limitBytes === undefined ? {} : { limit: { value: BigInt(limitBytes) } },
          unified,
        },
        oomScoreAdj: { value: BigInt(oomScoreAdj) },
        cgroupsPath: `kubepods-burstable-pod${podUid}.slice:cri-containerd:${containerId}`,
      },
    },
  };
}

/** Combines subjects to the runtime's list of existing pods and containers. */
export function allOf(...subjects: readonly Subject[]) {
  return { pods: subjects.map(({ pod }) => pod), containers: subjects.map(({ container }) => container) };
}

/** Fake node with a runtime that accepts plugins, and the compiled `wasp nri` on it. */
export class NriNode implements AsyncDisposable {
  readonly node = new FakeNode(2);
  readonly socket = `${this.node.root}/nri.sock`;
  readonly configFile = `${this.node.root}/memory-qos.yaml`;
  #runtime: FakeRuntime | undefined;
  #plugin: RunningWasp | undefined;

  /** Creates a node with that configuration, or another one. */
  constructor(config = PERMISSIVE) {
    this.setConfig(config);
    this.node.write("/sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    for (const file of ["cgroup.procs", "memory.max", "memory.swap.max"])
      this.node.write(`/sys/fs/cgroup/system.slice/${file}`, "");
  }

  /** Starts another runtime that listens for plugins. */
  async listen(behavior: Behavior = {}): Promise<FakeRuntime> {
    this.#runtime?.[Symbol.dispose]();
    this.#runtime = await FakeRuntime.listen(this.socket, behavior);
    return this.#runtime;
  }

  /** Flags with which the plugin runs on this node. */
  get flags(): readonly string[] {
    return ["--log-format=Json", "--socket", this.socket, "--fsroot", this.node.root];
  }

  /** Starts the plugin with the configuration file and these flags. */
  start(flags: readonly string[] = [], under: readonly string[] = []): RunningWasp {
    return this.run(["--config", this.configFile, ...flags], under);
  }

  /** Starts the plugin with these flags alone. */
  run(flags: readonly string[], under: readonly string[] = []): RunningWasp {
    this.#plugin = new RunningWasp(["nri", ...this.flags, ...flags], {}, under);
    return this.#plugin;
  }

  /** Starts a runtime and the plugin, and waits for the end of the handshake. */
  async serve(
    flags: readonly string[] = [],
    present: Parameters<RuntimeSide["begin"]>[0] = {},
    behavior: Behavior = {},
  ): Promise<{ readonly plugin: RunningWasp; readonly side: RuntimeSide }> {
    const runtime = await this.listen(behavior);
    const plugin = this.start(flags);
    const side = await runtime.connection();
    await side.begin(present);
    return { plugin, side };
  }

  /** Replaces the configuration file atomically. */
  setConfig(text: string): void {
    writeFileSync(`${this.configFile}.next`, text);
    renameSync(`${this.configFile}.next`, this.configFile);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugin?.[Symbol.asyncDispose]();
    this.#runtime?.[Symbol.dispose]();
    this.node[Symbol.dispose]();
  }
}

/** Creates a container, and returns the plugin's changes of its spec. */
export async function created(side: RuntimeSide, subject: Subject): Promise<Record<string, string>> {
  const { adjust } = await side.call("createContainer", subject);
  return adjust?.linux?.resources?.unified ?? {};
}

/** Changes a container's memory limit in bytes, or undefined for another field, and returns the plugin's changes. */
export async function resized(
  side: RuntimeSide,
  subject: Subject,
  memoryLimitBytes: number | undefined,
): Promise<Record<string, string>> {
  const memory = memoryLimitBytes === undefined ? {} : { limit: { value: BigInt(memoryLimitBytes) } };
  const { update } = await side.call("updateContainer", { ...subject, linuxResources: { memory } });
  for (const { containerId } of update)
    if (containerId !== subject.container.id) throw new Error(`an update of ${containerId}`);
  return update[0]?.linux?.resources?.unified ?? {};
}
