import type { Event, Fields, Tell } from "../log/events.ts";
import { unifiedChange } from "../policy/limits/spec-change.ts";
import type { NriLimits } from "../policy/limits/spec-limits.ts";
import type { MemoryQosProblem } from "../policy/memory-qos/classes.ts";
import { isEmpty, type Unified } from "../policy/memory-qos/files.ts";
import type { ContainerUpdate, NriContainer, NriPod, NriRuntime, PluginHandlers } from "./handlers.ts";

/** What the handlers of limits need of who runs them. */
export interface LimitHandlersOptions {
  /** What a container is to have that is being made. */
  readonly decide: (pod: NriPod, container: NriContainer) => NriLimits;
  /** What one is to have from now on that is there already; undefined for what it has. */
  readonly decideAnew: (pod: NriPod, container: NriContainer) => NriLimits | undefined;
  /** Whether an annotation that cannot be heeded keeps a new container from starting. */
  readonly isRefusing: () => boolean;
  /** Takes the configuration that the runtime has for the plugin; throws where it is wrong. */
  readonly configure: (config: string, runtime: NriRuntime) => void;
  /** Is told when a container runs that was not known, and has what it is to have only after a `refresh`. */
  readonly missed: () => void;
  readonly tell: Tell;
}

/** Asks the runtime for changes, and gives the ids of the containers where it did not make them. */
export type UpdateContainers = (updates: readonly ContainerUpdate[]) => Promise<readonly string[]>;

/** A container that runs, or is about to. */
interface Known {
  pod: NriPod;
  /** With the memory limit that it has now, and in unified what its spec said before wasp. */
  container: NriContainer;
  given: Unified;
  /** The annotations that were not heeded when that was given. */
  ignored: ReadonlySet<string>;
  /** What was last told of annotations that are not heeded. */
  told: ReadonlySet<string>;
}

const NONE_TOLD: ReadonlySet<string> = new Set();

/**
 * Puts limits into containers' specs: when a container is made, when its memory limit changes, when the runtime tells
 * of all containers, and when somebody says that decisions are others from now on. What is wrong with an annotation of
 * a container that runs is told, and leaves all of its limits as they are.
 */
export class LimitHandlers implements PluginHandlers {
  readonly #options: LimitHandlersOptions;
  #known = new Map<string, Known>();
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
      const told = Object.keys(wanted).map((file) => [file, container.unified[file] ?? ""]);
      const given = { ...known.given, ...Object.fromEntries(told) };
      const unified = unifiedChange({ given, original: known.container.unified }, wanted);
      known.given = wanted;
      if (isEmpty(unified)) continue;
      updates.push({ containerId: container.id, unified });
      this.#tell("container-limits-changed", known, { set: textOf(unified) });
    }
    return updates;
  }

  createContainer(pod: NriPod, container: NriContainer): Unified {
    const limits = this.#options.decide(pod, container);
    const { unified, problems, className, swapReason, ignoredOverride } = limits;
    const known = { pod, container, given: unified, ignored: annotationsOf(problems), told: NONE_TOLD };
    if (this.#options.isRefusing()) this.#refuseFor(known, problems);
    this.#tellIgnored(known, problems);
    this.#known.set(container.id, known);
    const why = { class: className, swap: swapReason, ignoredOverride };
    if (isEmpty(unified)) this.#tell("container-limits-left", known, why);
    else this.#tell("container-limits-set", known, { set: textOf(unified), ...why });
    return unified;
  }

  startedContainer(pod: NriPod, container: NriContainer): void {
    if (this.#known.has(container.id)) return;
    this.#known.set(container.id, this.#firstSeen(pod, container));
    this.#options.missed();
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
    if (!isEmpty(change)) this.#tell("container-limits-changed", known, { set: textOf(change) });
    // All of it: whatever else the request sets is not to undo it.
    return { ...change, ...wanted };
  }

  stopContainer(_pod: NriPod, container: NriContainer): void {
    this.#known.delete(container.id);
  }

  removeContainer(_pod: NriPod, container: NriContainer): void {
    this.#known.delete(container.id);
  }

  // What containers had before wasp stays known: nobody tells of it again.
  disconnected(): void {
    this.#isConnected = false;
  }

  /** Whether the runtime has told of its containers, and still does. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether a container that is known was given anything. */
  hasGiven(containerId: string): boolean {
    const given = this.#known.get(containerId)?.given;
    return given !== undefined && !isEmpty(given);
  }

  /** How many containers are known. */
  get containers(): number {
    return this.#known.size;
  }

  /**
   * Gives the containers that run what they are to have now, after decisions have changed. Without a connection nothing
   * is done: what is missing then is given at the next one. False where the runtime failed to change one of them.
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
      // The next pass, or the next connection, does what is left.
      if (pass !== this.#passes || !this.#isConnected) return true;
      if (this.#known.get(id) !== known) continue;
      const wanted = this.#wantedOf(known);
      if (wanted === undefined) continue;
      const unified = this.#changeOf(known, wanted);
      if (isEmpty(unified)) continue;
      // One at a time: a runtime answers for all of a request's containers together, and starts no other meanwhile.
      const error = await failureOf(update, { containerId: id, unified });
      if (this.#known.get(id) !== known) continue;
      if (error === undefined) known.given = wanted;
      else areAllGiven = false;
      const event = error === undefined ? "container-limits-changed" : "container-limits-failed";
      this.#tell(event, known, { set: textOf(unified), error });
    }
    return areAllGiven;
  }

  /** What a container that runs is to have now; undefined for what it has, as where an annotation is newly wrong. */
  #wantedOf(known: Known): Unified | undefined {
    const limits = this.#options.decideAnew(known.pod, known.container);
    if (limits === undefined) return undefined;
    const { unified, problems } = limits;
    this.#tellIgnored(known, problems);
    const isAsBefore = problems.every(({ annotation }) => known.ignored.has(annotation));
    return isAsBefore ? unified : undefined;
  }

  #changeOf({ given, container }: Known, wanted: Unified): Unified {
    return unifiedChange({ given, original: container.unified }, wanted);
  }

  /** A container that was made while wasp was not there: what it would give it now, it may have given it already. */
  #firstSeen(pod: NriPod, container: NriContainer): Known {
    const { "memory.swap.max": _, ...others } = container.unified;
    const given = this.#options.decideAnew(pod, { ...container, unified: others })?.unified ?? {};
    const original = Object.entries(container.unified).filter(([file, value]) => given[file] !== value);
    const unified = Object.fromEntries(original);
    return { pod, container: { ...container, unified }, given: {}, ignored: new Set(), told: NONE_TOLD };
  }

  #refuseFor(known: Known, problems: readonly MemoryQosProblem[]): void {
    if (problems.length === 0) return;
    const { pod, container } = known;
    const error = problems.map(({ message }) => message).join("; ");
    this.#tell("container-refused", known, { reason: problems[0]?.reason, error });
    throw new Error(`container ${container.name} of pod ${pod.namespace}/${pod.name}: ${error}`);
  }

  #tellIgnored(known: Known, problems: readonly MemoryQosProblem[]): void {
    for (const { reason, message } of problems)
      if (!known.told.has(message)) this.#tell("annotation-ignored", known, { reason, error: message });
    known.told = new Set(problems.map(({ message }) => message));
  }

  #tell(event: Event, { pod, container }: Known, fields: Fields): void {
    const { namespace, name } = pod;
    this.#options.tell(event, {
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
    return failed.length === 0 ? undefined : "the runtime could not";
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
