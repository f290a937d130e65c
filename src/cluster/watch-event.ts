import type { KubernetesObject, V1Status, V1WatchEvent } from "@kubernetes/client-node";
import * as v from "valibot";
import { decode } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";

/** Event of a watch, with its object not yet decoded. */
export type WatchEvent =
  /** The object was created, has changed, or is newly selected. */
  | { readonly type: "ADDED" | "MODIFIED"; readonly object: unknown; readonly resourceVersion: string }
  /** The object was deleted, or is no longer selected. */
  | { readonly type: "DELETED"; readonly object: unknown; readonly resourceVersion: string }
  /** Resource version that the watch has reached, without a change. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** Reason for the end of the watch; the code is an HTTP status. */
  | { readonly type: "ERROR"; readonly code: number; readonly message: string };

/** Resource version of an object or a list. */
export const VersionSchema = v.pipe(
  v.string(),
  v.check((text) => text !== "", "not a resource version"),
);

const VersionedSchema = v.looseObject({
  metadata: v.looseObject({ resourceVersion: VersionSchema }),
} satisfies FieldSchemas<KubernetesObject>);

const ErrorSchema = v.object({
  code: v.number(),
  message: v.string(),
} satisfies FieldSchemas<V1Status>);

const EventSchema = v.variant("type", [
  v.object({
    type: v.picklist(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]),
    object: VersionedSchema,
  } satisfies FieldSchemas<V1WatchEvent>),
  v.object({ type: v.literal("ERROR"), object: ErrorSchema } satisfies FieldSchemas<V1WatchEvent>),
]);

/** Decodes a line of a watch; throws an Error if it is malformed. */
export function decodeWatchEvent(line: string): WatchEvent {
  const event = decode(EventSchema, line, "a watch event");
  if (event.type === "ERROR") return { type: event.type, ...event.object };
  return { ...event, resourceVersion: event.object.metadata.resourceVersion };
}
