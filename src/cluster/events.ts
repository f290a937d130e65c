import type { ApiServer } from "./api-server.ts";
import type { PodRef } from "./live-pod.ts";
import type { Write } from "./request.ts";
import { RequestError } from "./request-error.ts";
import { timestamp } from "./timestamp.ts";

/** What is to be seen where the cluster's users look: `kubectl describe` of a pod or of a node. */
export interface ClusterEvent {
  readonly regarding: ({ readonly kind: "Pod" } & PodRef) | { readonly kind: "Node"; readonly name: string };
  readonly type: "Normal" | "Warning";
  /** Why, one word in CamelCase for programs. */
  readonly reason: string;
  /** What was done, one word in CamelCase. */
  readonly action: string;
  /** For humans; what exceeds 1024 bytes is cut off. */
  readonly note: string;
}

const CONTROLLER = "wasp.io/agent";
const MAX_NOTE_BYTES = 1024;
// Of so many different events the API server is told of repeats; of an older one, as of a new one.
const MAX_SERIES = 200;

/**
 * Records events at the API server; what repeats is counted there, and shows the latest note. Needs the permission to
 * create and patch events in all namespaces.
 */
export class EventRecorder {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #now: () => number;
  /** The latest last. */
  readonly #series = new Map<string, Series>();

  /** `now` tells the time in milliseconds since the epoch. */
  constructor(server: ApiServer, nodeName: string, now: () => number = Date.now) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#now = now;
  }

  /**
   * Records one event; nothing fails for want of it, so why it could not be recorded is returned. What repeats while it
   * is being recorded is counted, and told with the next repeat.
   */
  async record(event: ClusterEvent, closing: AbortSignal): Promise<RequestError | undefined> {
    const series = this.#seriesOf(event);
    series.count++;
    if (series.isBeingTold) return undefined;
    series.isBeingTold = true;
    try {
      await this.#tell(event, series, closing);
      return undefined;
    } catch (error) {
      if (error instanceof RequestError) return error;
      throw error;
    } finally {
      series.isBeingTold = false;
    }
  }

  #seriesOf(event: ClusterEvent): Series {
    const { regarding, type, reason, action } = event;
    const uid = regarding.kind === "Pod" ? regarding.uid : regarding.name;
    const key = JSON.stringify([regarding.kind, uid, type, reason, action]);
    const series = this.#series.get(key) ?? newSeries();
    this.#series.delete(key);
    this.#series.set(key, series);
    for (const oldest of this.#series.keys()) {
      if (this.#series.size <= MAX_SERIES) break;
      this.#series.delete(oldest);
    }
    return series;
  }

  async #tell(event: ClusterEvent, series: Series, closing: AbortSignal): Promise<void> {
    if (series.name !== undefined && (await this.#repeat(event, series, series.name, closing))) return;
    const name = `wasp-${crypto.randomUUID()}`;
    const first = timestamp(this.#now());
    await this.#server.write(this.#creation(event, series, name, first), closing);
    series.name = name;
  }

  /** Counts a repeat; false when the API server has forgotten the event, as it does after an hour. */
  async #repeat(event: ClusterEvent, series: Series, name: string, closing: AbortSignal): Promise<boolean> {
    const path = `${eventsPath(event)}/${name}`;
    const body = {
      count: series.count,
      lastTimestamp: timestamp(this.#now()),
      message: cut(event.note),
    };
    try {
      await this.#server.write(
        { method: "PATCH", path, contentType: "application/merge-patch+json", body },
        closing,
      );
      return true;
    } catch (error) {
      const isForgotten = error instanceof RequestError && error.refusal?.status === 404;
      if (!isForgotten) throw error;
      series.name = undefined;
      series.count = 1;
      return false;
    }
  }

  // The core form, not that of events.k8s.io, which allows no other note later, and leaves empty the times by which
  // `kubectl get events` sorts. Both are the same objects.
  #creation(event: ClusterEvent, series: Series, name: string, first: string): Write {
    const body = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: namespaceOf(event) },
      involvedObject: referenceTo(event.regarding),
      type: event.type,
      reason: event.reason,
      action: event.action,
      message: cut(event.note),
      count: series.count,
      firstTimestamp: first,
      lastTimestamp: first,
      source: { component: CONTROLLER, host: this.#nodeName },
      reportingComponent: CONTROLLER,
      reportingInstance: this.#nodeName,
    };
    return { method: "POST", path: eventsPath(event), contentType: "application/json", body };
  }
}

/** What is known of an event that may repeat. */
interface Series {
  /** The event's at the API server; undefined before it is there. */
  name: string | undefined;
  count: number;
  isBeingTold: boolean;
}

function newSeries(): Series {
  return { name: undefined, count: 0, isBeingTold: false };
}

function eventsPath(event: ClusterEvent): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespaceOf(event))}/events`;
}

// Events of what has no namespace have to be there.
function namespaceOf({ regarding }: ClusterEvent): string {
  return regarding.kind === "Pod" ? regarding.namespace : "default";
}

function referenceTo(regarding: ClusterEvent["regarding"]): object {
  if (regarding.kind === "Pod") return { apiVersion: "v1", ...regarding };
  // Its name in place of its UID, as the kubelet has it, and as every kubectl looks for it.
  return { apiVersion: "v1", ...regarding, uid: regarding.name };
}

/** The beginning of a note, of whole characters. */
function cut(note: string): string {
  const { read } = new TextEncoder().encodeInto(note, new Uint8Array(MAX_NOTE_BYTES));
  return note.slice(0, read);
}
