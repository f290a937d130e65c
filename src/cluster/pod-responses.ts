import type {
  V1ListMeta,
  V1ObjectMeta,
  V1Pod,
  V1PodList,
  V1Status,
  V1WatchEvent,
} from "@kubernetes/client-node";
import * as v from "valibot";
import { decode } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Page of a list of pods, with the pods not yet decoded. */
export interface PodListPage {
  readonly items: readonly unknown[];
  /** Version from which a watch continues after the last page. */
  readonly resourceVersion: string;
  /** Token for the next page; undefined in the last one. */
  readonly continue: string | undefined;
}

/** Event of a watch of pods, with the pod not yet decoded. */
export type PodWatchEvent =
  /** The pod was created, has changed, or is newly selected. */
  | { readonly type: "ADDED" | "MODIFIED"; readonly object: unknown; readonly resourceVersion: string }
  /** The pod was deleted, or is no longer selected. */
  | { readonly type: "DELETED"; readonly object: unknown; readonly resourceVersion: string }
  /** Resource version that the watch has reached, without a change. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** Reason for the end of the watch; the code is an HTTP status. */
  | { readonly type: "ERROR"; readonly code: number; readonly message: string };

const VersionSchema = v.pipe(
  v.string(),
  v.check((text) => text !== "", "not a resource version"),
);
const PageSchema = v.object({
  kind: v.literal("PodList"),
  metadata: v.object({
    resourceVersion: VersionSchema,
    continue: v.nullish(v.string()),
  } satisfies FieldSchemas<V1ListMeta>),
  items: v.nullish(v.array(v.unknown())),
} satisfies FieldSchemas<V1PodList>);

/** Decodes a page of a list of pods; throws an Error if it is malformed. */
export function decodePodListPage(text: string): PodListPage {
  const { items, metadata } = decode(PageSchema, text, "a PodList");
  return {
    items: items ?? [],
    resourceVersion: metadata.resourceVersion,
    continue: metadata.continue || undefined,
  };
}

const VersionedPodSchema = v.looseObject({
  metadata: v.looseObject({ resourceVersion: VersionSchema } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

const ErrorSchema = v.object({
  code: v.number(),
  message: v.string(),
} satisfies FieldSchemas<V1Status>);

const EventSchema = v.variant("type", [
  v.object({
    type: v.picklist(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]),
    object: VersionedPodSchema,
  } satisfies FieldSchemas<V1WatchEvent>),
  v.object({ type: v.literal("ERROR"), object: ErrorSchema } satisfies FieldSchemas<V1WatchEvent>),
]);

/** Decodes a line of a watch of pods; throws an Error if it is malformed. */
export function decodePodWatchEvent(line: string): PodWatchEvent {
  const event = decode(EventSchema, line, "a watch event");
  if (event.type === "ERROR") return { type: event.type, ...event.object };
  return { ...event, resourceVersion: event.object.metadata.resourceVersion };
}
