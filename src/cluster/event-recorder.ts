import { setTimeout as sleep } from "node:timers/promises";
import type { CoreV1Event, V1ObjectReference } from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.ts";
import type { Json } from "./kubernetes-json.ts";
import type { PodRef } from "./pod.ts";
import { mergePatch } from "./request.ts";
import { isFinal, RequestError } from "./request-error.ts";
import { timestamp } from "./timestamp.ts";

/** Kubernetes Event of a pod or of a node, as `kubectl describe` shows it. */
export interface ClusterEvent {
  readonly regarding: ({ readonly kind: "Pod" } & PodRef) | { readonly kind: "Node"; readonly name: string };
  readonly type: "Normal" | "Warning";
  /** Cause, one word in CamelCase for programs. */
  readonly reason: string;
  /** Action taken, one word in CamelCase. */
  readonly action: string;
  /** Text for humans, cut to 1024 bytes. */
  readonly note: string;
}

const CONTROLLER = "wasp.io/agent";
const MAX_NOTE_BYTES = 1024;
// Repeats of an older series than these are recorded as a new Event.
const MAX_SERIES = 200;

/** Repetition of a request that failed for now. */
export interface Retry {
  /** Requests in total. */
  readonly attempts: number;
  readonly pauseMilliseconds: number;
}

/**
 * Records Events at the API server. A repeated one increments the count of the first and replaces its note. Needs the
 * permission to create and patch events in all namespaces.
 */
export class EventRecorder {
  readonly #server: ApiServer;
  readonly #nodeName: string;
  readonly #retry: Retry;
  readonly #now: () => number;
  /** Least recently used first. */
  readonly #series = new Map<string, Series>();

  /** `now` returns the time in milliseconds since the epoch. */
  constructor(server: ApiServer, nodeName: string, retry: Retry, now: () => number = Date.now) {
    this.#server = server;
    this.#nodeName = nodeName;
    this.#retry = retry;
    this.#now = now;
  }

  /**
   * Records one Event and returns the error if that failed: nothing else fails for lack of an Event. Repeats during the
   * request are counted, and sent with the next repeat.
   */
  async record(event: ClusterEvent, closing: AbortSignal): Promise<RequestError | undefined> {
    const series = this.#seriesOf(event);
    series.count++;
    if (series.isBeingSent) return undefined;
    series.isBeingSent = true;
    try {
      await this.#sendAgain(event, series, closing);
      return undefined;
    } catch (error) {
      if (error instanceof RequestError) return error;
      throw error;
    } finally {
      series.isBeingSent = false;
    }
  }

  #seriesOf(event: ClusterEvent): Series {
    const { regarding, type, reason, action } = event;
    const uid = regarding.kind === "Pod" ? regarding.uid : regarding.name;
    const key = JSON.stringify([regarding.kind, uid, type, reason, action]);
    const series = this.#series.get(key) ?? {
      name: undefined,
      newName: undefined,
      count: 0,
      isBeingSent: false,
    };
    this.#series.delete(key);
    this.#series.set(key, series);
    for (const oldest of this.#series.keys()) {
      if (this.#series.size <= MAX_SERIES) break;
      this.#series.delete(oldest);
    }
    return series;
  }

  /** Sends an Event, and repeats that while it fails for now. */
  async #sendAgain(event: ClusterEvent, series: Series, closing: AbortSignal): Promise<void> {
    const { attempts, pauseMilliseconds } = this.#retry;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#send(event, series, closing);
        return;
      } catch (error) {
        if (closing.aborted || attempt === attempts || isFinal(error)) throw error;
      }
      await sleep(pauseMilliseconds, undefined, { signal: closing }).catch(() => {});
    }
  }

  async #send(event: ClusterEvent, series: Series, closing: AbortSignal): Promise<void> {
    if (series.name !== undefined && (await this.#repeat(event, series, series.name, closing))) return;
    // The name of a request before, which may have been carried out without an answer.
    series.newName ??= `wasp-${crypto.randomUUID()}`;
    const name = series.newName;
    const body = this.#newEvent(event, series, name);
    try {
      await this.#server.write({ method: "POST", path: eventsPath(event), body }, closing);
    } catch (error) {
      const reason = error instanceof RequestError ? error.refusal?.apiStatus?.reason : undefined;
      if (reason !== "AlreadyExists") throw error;
    }
    series.name = name;
    series.newName = undefined;
  }

  /** Records a repeat; returns false if the API server no longer has the Event, which it keeps for an hour. */
  async #repeat(event: ClusterEvent, series: Series, name: string, closing: AbortSignal): Promise<boolean> {
    const path = `${eventsPath(event)}/${name}`;
    const lastTimestamp = timestamp(this.#now());
    const body = { count: series.count, lastTimestamp, message: cut(event.note) };
    try {
      await this.#server.write(mergePatch<CoreV1Event>(path, body), closing);
      return true;
    } catch (error) {
      const isExpired = error instanceof RequestError && error.refusal?.status === 404;
      if (!isExpired) throw error;
      series.name = undefined;
      series.count = 1;
      return false;
    }
  }

  // The core form, not that of events.k8s.io: the latter allows no change of the note, and leaves empty the times by
  // which `kubectl get events` sorts. Both are the same objects.
  #newEvent(event: ClusterEvent, series: Series, name: string): Json<CoreV1Event> {
    const now = timestamp(this.#now());
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: namespaceOf(event) },
      involvedObject: referenceTo(event.regarding),
      type: event.type,
      reason: event.reason,
      action: event.action,
      message: cut(event.note),
      count: series.count,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: CONTROLLER, host: this.#nodeName },
      reportingComponent: CONTROLLER,
      reportingInstance: this.#nodeName,
    };
  }
}

/** Events that differ in nothing but note and time. */
interface Series {
  /** Name of the Event at the API server; undefined before it is created. */
  name: string | undefined;
  /** Name of an Event whose creation failed: the API server may have created it, with only the answer lost. */
  newName: string | undefined;
  count: number;
  isBeingSent: boolean;
}

function eventsPath(event: ClusterEvent): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespaceOf(event))}/events`;
}

// Events of objects without a namespace have to be in this one.
function namespaceOf({ regarding }: ClusterEvent): string {
  return regarding.kind === "Pod" ? regarding.namespace : "default";
}

function referenceTo(regarding: ClusterEvent["regarding"]): Json<V1ObjectReference> {
  if (regarding.kind === "Pod") return { apiVersion: "v1", ...regarding };
  // The node's name in place of its UID, as the kubelet writes it and kubectl selects by it.
  return { apiVersion: "v1", ...regarding, uid: regarding.name };
}

/** Cuts a note to its maximum size, between characters. */
function cut(note: string): string {
  const { read } = new TextEncoder().encodeInto(note, new Uint8Array(MAX_NOTE_BYTES));
  return note.slice(0, read);
}
