/** A plugin in this process, on the node's runtime, that says what a test has it say. */
import type { ContainerUpdate, NriContainer, NriPod } from "../../src/nri/handlers.ts";
import { type NriPlugin, type PluginEvent, startPlugin } from "../../src/nri/plugin.ts";
import type { Unified } from "../../src/policy/memory-qos/files.ts";
import { type Containerd, nriSocket } from "./containerd.ts";
import type { Guest } from "./guest.ts";

/** What a plugin answers; nothing unless told. */
export interface Answers {
  readonly synchronize?: (containers: readonly NriContainer[]) => readonly ContainerUpdate[];
  readonly create?: (container: NriContainer, pod: NriPod) => Unified;
  readonly update?: (container: NriContainer, memoryLimitBytes: number | undefined) => Unified;
}

/** What the runtime calls one. */
export const probe = "40-probe";

const [index = "", name = ""] = probe.split("-");

/** One that is registered until it is disposed of. */
export class ProbePlugin implements AsyncDisposable {
  /** What it answers from now on. */
  answers: Answers;
  /** What it has told of itself. */
  readonly events: PluginEvent[] = [];
  /** What it was told of containers: the request, the container's name and state, and the memory limit. */
  readonly heard: (readonly [string, string, NriContainer["state"], number | undefined])[] = [];
  readonly #plugin: NriPlugin;

  private constructor(socket: string, answers: Answers) {
    this.answers = answers;
    const hear = (request: string, { name, state, memoryLimitBytes }: NriContainer) =>
      this.heard.push([request, name, state, memoryLimitBytes]);
    this.#plugin = startPlugin({
      ...{ name, index, socket, isExitedOnDisconnect: false },
      report: (event) => this.events.push(event),
      handlers: {
        configure: () => {},
        synchronize: (_, containers) => {
          for (const container of containers) hear("synchronize", container);
          return this.answers.synchronize?.(containers) ?? [];
        },
        createContainer: (pod, container) => {
          hear("create", container);
          return this.answers.create?.(container, pod) ?? {};
        },
        updateContainer: (_, container, memoryLimitBytes) => {
          hear("update", { ...container, memoryLimitBytes });
          return this.answers.update?.(container, memoryLimitBytes) ?? {};
        },
        startedContainer: () => {},
        stopContainer: (_, container) => hear("stop", container),
        removeContainer: (_, container) => hear("remove", container),
        disconnected: () => {},
      },
    });
  }

  /** Starts one, and waits until the runtime asks it. */
  static async start(guest: Guest, containerd: Containerd, answers: Answers = {}): Promise<ProbePlugin> {
    const socket = await guest.forward(nriSocket);
    return await containerd.connecting(probe, async () => new ProbePlugin(socket, answers));
  }

  /** Asks for changes; gives the ids of those that failed. */
  async updateContainers(...updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    return await this.#plugin.updateContainers(updates);
  }

  /** Takes it away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugin.stop();
  }
}
