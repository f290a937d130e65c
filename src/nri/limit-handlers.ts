import type { Event, Fields, LogEvent } from "../log/events.ts";
import { unifiedChange } from "../policy/limits/spec-change.ts";
import type { NriLimits } from "../policy/limits/spec-limits.ts";
import type { MemoryQosProblem } from "../policy/memory-qos/classes.ts";
import { isEmpty, type Unified } from "../policy/memory-qos/files.ts";
import type { ContainerUpdate, NriContainer, NriPod, NriRuntime, PluginHandlers } from "./handlers.ts";

/** Options of the limit handlers. */
export interface LimitHandlersOptions {
  /** Decides the limits of a container that is being created. */
  readonly decide: (pod: NriPod, container: NriContainer) => NriLimits;
  /** Decides the limits of an existing container; undefined to keep those that it has. */
  readonly decideUpdate: (pod: NriPod, container: NriContainer) => NriLimits | undefined;
  /** Returns true if an invalid annotation keeps a new container from starting. */
  readonly isRefusing: () => boolean;
  /** Takes the plugin's configuration from the runtime; throws an Error if it is invalid. */
  readonly configure: (config: string, runtime: NriRuntime) => void;
  /** Called when an unknown container starts; it gets its limits at the next `refresh`. */
  readonly onMissed: () => void;
  readonly log: LogEvent;
}

/** Sends updates to the runtime; returns the ids of the containers that it failed to update. */
export type UpdateContainers = (updates: readonly ContainerUpdate[]) => Promise<readonly string[]>;

/** A container that runs or is being created. */
interface KnownContainer {
  pod: NriPod;
  /** The container with its current memory limit; `unified` is that of its spec without wasp. */
  container: NriContainer;
  /** Limits that it got from wasp. */
  given: Unified;
  /** Annotations that were ignored for them. */
  ignored: ReadonlySet<string>;
  /** Messages about ignored annotations that are already logged. */
  logged: ReadonlySet<string>;
}

const NONE_LOGGED: ReadonlySet<string> = new Set();

/**
 * Puts limits into containers' specs: when a container is created, when its memory limit changes, when the runtime lists
 * all containers, and at each `refresh`. A newly invalid annotation of a running container is logged, and leaves all of
 * its limits as they are.
 */
export class LimitHandlers implements PluginHandlers {
  readonly #options: LimitHandlersOptions;
  #known = new Map<string, KnownContainer>();
  #isConnected = false;
  #passes = 0;
  #lastPass = Promise.resolve(true);

  constructor(options: LimitHandlersOptions) {
    this.#options = options;
  }

  configure(config: string, runtime: NriRuntime): void {
    this.#options.configure(config, runtime);
  }

  synchronize(pods: readonly NriPod[], containers: readonly NriContainer[]): readonly ContainerUpdate[] {
    const podsById = new Map(pods.map((pod) => [pod.id, pod]));
    const before = this.#known;
    this.#known = new Map();
    this.#isConnected = true;
    const updates: ContainerUpdate[] = [];
    for (const container of containers) {
      const pod = podsById.get(container.podId);
      if (pod === undefined || container.state === "stopped") continue;
      const known = before.get(container.id) ?? this.#firstSeen(pod, container);
      known.pod = pod;
      known.container = { ...container, unified: known.container.unified };
      this.#known.set(container.id, known);
      const wanted = this.#wantedOf(known);
      if (wanted === undefined) continue;
      const reported = Object.keys(wanted).map((file) => [file, container.unified[file] ?? ""]);
      const given = { ...known.given, ...Object.fromEntries(reported) };
      const unified = unifiedChange({ given, original: known.container.unified }, wanted);
      known.given = wanted;
      if (isEmpty(unified)) continue;
      updates.push({ containerId: container.id, unified });
      this.#log("container-limits-changed", known, { set: textOf(unified) });
    }
    return updates;
  }

  createContainer(pod: NriPod, container: NriContainer): Unified {
    const limits = this.#options.decide(pod, container);
    const { unified, problems, className, swapReason, ignoredOverride } = limits;
    const known = { pod, container, given: unified, ignored: annotationsOf(problems), logged: NONE_LOGGED };
    if (this.#options.isRefusing()) this.#refuseFor(known, problems);
    this.#logIgnored(known, problems);
    this.#known.set(container.id, known);
    const why = { class: className, swap: swapReason, ignoredOverride };
    if (isEmpty(unified)) this.#log("container-limits-left", known, why);
    else this.#log("container-limits-set", known, { set: textOf(unified), ...why });
    return unified;
  }

  startedContainer(pod: NriPod, container: NriContainer): void {
    if (this.#known.has(container.id)) return;
    this.#known.set(container.id, this.#firstSeen(pod, container));
    this.#options.onMissed();
  }

  updateContainer(pod: NriPod, container: NriContainer, memoryLimitBytes: number | undefined): Unified {
    const known = this.#known.get(container.id) ?? this.#firstSeen(pod, container);
    known.pod = pod;
    if (memoryLimitBytes !== undefined) known.container = { ...known.container, memoryLimitBytes };
    this.#known.set(container.id, known);
    const wanted = this.#wantedOf(known);
    if (wanted === undefined) return {};
    const change = this.#changeOf(known, wanted);
    known.given = wanted;
    if (!isEmpty(change)) this.#log("container-limits-changed", known, { set: textOf(change) });
    // All limits, because the request itself may set other values.
    return { ...change, ...wanted };
  }

  stopContainer(_pod: NriPod, container: NriContainer): void {
    this.#known.delete(container.id);
  }

  removeContainer(_pod: NriPod, container: NriContainer): void {
    this.#known.delete(container.id);
  }

  // Containers' values from before wasp are kept, because the runtime does not report them again.
  disconnected(): void {
    this.#isConnected = false;
  }

  /** True from the runtime's list of its containers to the end of the connection. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Returns true if a known container got limits from wasp. */
  hasGiven(containerId: string): boolean {
    const given = this.#known.get(containerId)?.given;
    return given !== undefined && !isEmpty(given);
  }

  /** Number of known containers. */
  get containers(): number {
    return this.#known.size;
  }

  /**
   * Updates the limits of the running containers after decisions have changed. Does nothing without a connection: the
   * next one brings them up to date. Returns false if the runtime failed to update a container.
   */
  async refresh(update: UpdateContainers): Promise<boolean> {
    this.#passes += 1;
    const pass = this.#passes;
    this.#lastPass = this.#lastPass.then(() => this.#pass(pass, update));
    return await this.#lastPass;
  }

  async #pass(pass: number, update: UpdateContainers): Promise<boolean> {
    let areAllGiven = true;
    for (const [id, known] of [...this.#known]) {
      // The next pass or the next connection does the rest.
      if (pass !== this.#passes || !this.#isConnected) return true;
      if (this.#known.get(id) !== known) continue;
      const wanted = this.#wantedOf(known);
      if (wanted === undefined) continue;
      const unified = this.#changeOf(known, wanted);
      if (isEmpty(unified)) continue;
      // One at a time: a runtime answers for all containers of a request together, and starts none meanwhile.
      const error = await failureOf(update, { containerId: id, unified });
      if (this.#known.get(id) !== known) continue;
      if (error === undefined) known.given = wanted;
      else areAllGiven = false;
      const event = error === undefined ? "container-limits-changed" : "container-limits-failed";
      this.#log(event, known, { set: textOf(unified), error });
    }
    return areAllGiven;
  }

  /** Returns the wanted limits of a running container; undefined to keep those it has, as for a newly invalid annotation. */
  #wantedOf(known: KnownContainer): Unified | undefined {
    const limits = this.#options.decideUpdate(known.pod, known.container);
    if (limits === undefined) return undefined;
    const { unified, problems } = limits;
    this.#logIgnored(known, problems);
    const isAsBefore = problems.every(({ annotation }) => known.ignored.has(annotation));
    return isAsBefore ? unified : undefined;
  }

  #changeOf({ given, container }: KnownContainer, wanted: Unified): Unified {
    return unifiedChange({ given, original: container.unified }, wanted);
  }

  /** Returns a container that started without this wasp: values that wasp would set now may come from an earlier one. */
  #firstSeen(pod: NriPod, container: NriContainer): KnownContainer {
    const { "memory.swap.max": _, ...others } = container.unified;
    const given = this.#options.decideUpdate(pod, { ...container, unified: others })?.unified ?? {};
    const original = Object.entries(container.unified).filter(([file, value]) => given[file] !== value);
    const unified = Object.fromEntries(original);
    return { pod, container: { ...container, unified }, given: {}, ignored: new Set(), logged: NONE_LOGGED };
  }

  #refuseFor(known: KnownContainer, problems: readonly MemoryQosProblem[]): void {
    if (problems.length === 0) return;
    const { pod, container } = known;
    const error = problems.map(({ message }) => message).join("; ");
    this.#log("container-refused", known, { reason: problems[0]?.reason, error });
    throw new Error(`container ${container.name} of pod ${pod.namespace}/${pod.name}: ${error}`);
  }

  #logIgnored(known: KnownContainer, problems: readonly MemoryQosProblem[]): void {
    for (const { reason, message } of problems)
      if (!known.logged.has(message)) this.#log("annotation-ignored", known, { reason, error: message });
    known.logged = new Set(problems.map(({ message }) => message));
  }

  #log(event: Event, { pod, container }: KnownContainer, fields: Fields): void {
    const { namespace, name } = pod;
    this.#options.log(event, {
      namespace,
      pod: name,
      container: container.name,
      id: container.id,
      ...fields,
    });
  }
}

async function failureOf(update: UpdateContainers, one: ContainerUpdate): Promise<string | undefined> {
  try {
    const failed = await update([one]);
    return failed.length === 0 ? undefined : "the runtime failed to update it";
  } catch (error) {
    return (error as Error).message;
  }
}

function annotationsOf(problems: readonly MemoryQosProblem[]): ReadonlySet<string> {
  return new Set(problems.map(({ annotation }) => annotation));
}

function textOf(unified: Unified): string {
  return Object.entries(unified)
    .map(([file, value]) => `${file}=${value}`)
    .join(" ");
}
