import type { ContainerUpdate, PluginHandlers } from "../../src/nri/handlers.ts";
import { NriPlugin, type PluginEvent, type PluginOptions } from "../../src/nri/plugin.ts";
import type { Unified } from "../../src/policy/memory-qos/files.ts";

/** A plugin that records its calls, and sets memory.high to the memory limit, if there is one. */
export class RecordingPlugin implements AsyncDisposable {
  /** Events so far. */
  readonly events: PluginEvent[] = [];
  readonly #plugin: NriPlugin;
  #heard: string[] = [];
  #awaited: (() => void) | undefined;

  constructor(
    options: Partial<PluginOptions> & Pick<PluginOptions, "socket">,
    own: Partial<PluginHandlers> = {},
  ) {
    const hear = (name: string, ...heard: unknown[]) => {
      this.#heard.push(`${name} ${JSON.stringify(heard)}`);
    };
    const high = (limitBytes: number | undefined): Unified =>
      limitBytes === undefined ? {} : { "memory.high": String(limitBytes) };
    const handlers: PluginHandlers = {
      configure: (...heard) => hear("configure", ...heard),
      synchronize(pods, containers) {
        hear("synchronize", pods, containers);
        return containers.map(({ id }) => ({ containerId: id, unified: { "memory.high": "max" } }));
      },
      createContainer(pod, container) {
        hear("createContainer", pod, container);
        return high(container.memoryLimitBytes);
      },
      updateContainer(pod, container, memoryLimitBytes) {
        hear("updateContainer", pod, container, memoryLimitBytes);
        return high(memoryLimitBytes);
      },
      startedContainer: (...heard) => hear("startedContainer", ...heard),
      stopContainer: (...heard) => hear("stopContainer", ...heard),
      removeContainer: (...heard) => hear("removeContainer", ...heard),
      disconnected: () => hear("disconnected"),
      ...own,
    };
    this.#plugin = new NriPlugin({
      name: "wasp",
      index: "10",
      isExitedOnDisconnect: false,
      ...options,
      handlers,
      report: (event) => {
        this.events.push(event);
        this.#awaited?.();
      },
    });
  }

  get ended() {
    return this.#plugin.ended;
  }

  /** Returns the handlers' calls since the last time. */
  takeHeard(): string[] {
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }

  /** Waits until so many events of a kind have happened, and returns the last of them. */
  async event<K extends PluginEvent["kind"]>(kind: K, times = 1): Promise<PluginEvent & { kind: K }> {
    for (;;) {
      const happened = this.events.filter((event) => event.kind === kind);
      const event = happened[times - 1];
      if (event !== undefined) return event as PluginEvent & { kind: K };
      await new Promise<void>((resolve) => {
        this.#awaited = resolve;
      });
    }
  }

  updateContainers(updates: readonly ContainerUpdate[]): Promise<readonly string[]> {
    return this.#plugin.updateContainers(updates);
  }

  stop(): Promise<void> {
    return this.#plugin.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#plugin.stop();
  }
}
