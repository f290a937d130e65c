/** An NRI plugin in this process, connected to the node's runtime, whose answers a test chooses. */
import type { ContainerUpdate, NriContainer, NriPod } from "../../src/nri/handlers.ts";
import { NriPlugin, type PluginEvent } from "../../src/nri/plugin.ts";
import type { Unified } from "../../src/policy/memory-qos/files.ts";
import { patience } from "../patience.ts";
import { type Containerd, nriSocket } from "./containerd.ts";
import type { Guest } from "./guest.ts";

/** Answers of the plugin; empty by default. */
export interface Answers {
  readonly synchronize?: (containers: readonly NriContainer[]) => readonly ContainerUpdate[];
  readonly create?: (container: NriContainer, pod: NriPod) => Unified;
  readonly update?: (container: NriContainer, memoryLimitBytes: number | undefined) => Unified;
}

/** Index and name of the plugin, as in the runtime's log. */
export const probe = "40-probe";

const [index = "", name = ""] = probe.split("-");

/** A plugin that is registered until it is disposed of. */
export class ProbePlugin implements AsyncDisposable {
  /** Answers from now on. */
  answers: Answers;
  /** Events that the plugin has reported. */
  readonly events: PluginEvent[] = [];
  /** Received requests about containers: request, name and state of the container, memory limit. */
  readonly requests: (readonly [string, string, NriContainer["state"], number | undefined])[] = [];
  readonly #plugin: NriPlugin;

  private constructor(socket: string, answers: Answers) {
    this.answers = answers;
    const record = (request: string, { name, state, memoryLimitBytes }: NriContainer) =>
      this.requests.push([request, name, state, memoryLimitBytes]);
    this.#plugin = new NriPlugin({
      ...{ name, index, socket, isExitedOnDisconnect: false },
      timing: { registrationMilliseconds: patience(20), requestMilliseconds: patience(10) },
      report: (event) => this.events.push(event),
      handlers: {
        configure: () => {},
        synchronize: (_, containers) => {
          for (const container of containers) record("synchronize", container);
          return this.answers.synchronize?.(containers) ?? [];
        },
        createContainer: (pod, container) => {
          record("create", container);
          return this.answers.create?.(container, pod) ?? {};
        },
        updateContainer: (_, container, memoryLimitBytes) => {
          record("update", { ...container, memoryLimitBytes });
          return this.answers.update?.(container, memoryLimitBytes) ?? {};
        },
        startedContainer: () => {},
        stopContainer: (_, container) => record("stop", container),
        removeContainer: (_, container) => record("remove", container),
        disconnected: () => {},
      },
    });
  }

  /** Starts a plugin, and waits until the runtime calls it for new containers. */
  static async start(guest: Guest, containerd: Containerd, answers: Answers = {}): Promise<ProbePlugin> {
    const socket = await guest.forward(nriSocket);
    return await containerd.connecting(probe, async () => new ProbePlugin(socket, answers));
  }

  /** Requests changes of containers; returns the IDs of those that failed. */
  async updateContainers(...updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    return await this.#plugin.updateContainers(updates);
  }

  /** Unregisters the plugin. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugin.stop();
  }
}
