import * as v from "valibot";
import { decode } from "./decode.ts";

/** One page of a list of pods, its pods not yet decoded. */
export interface PodPage {
  readonly items: readonly unknown[];
  /** From where a watch goes on, once the last page is there. */
  readonly resourceVersion: string;
  /** What asks for the next page; undefined at the last one. */
  readonly continue: string | undefined;
}

/** What a watch of pods tells, the pod not yet decoded. */
export type PodEvent =
  /** The pod is there, or now selected, or another than before. */
  | { readonly type: "ADDED" | "MODIFIED"; readonly object: unknown; readonly resourceVersion: string }
  /** The pod is gone, or no longer selected. */
  | { readonly type: "DELETED"; readonly object: unknown; readonly resourceVersion: string }
  /** Nothing but how far the watch has come. */
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }
  /** Why there is no more; the code is an HTTP status. */
  | { readonly type: "ERROR"; readonly code: number; readonly message: string };

const VersionSchema = v.pipe(
  v.string(),
  v.check((text) => text !== "", "not a resource version"),
);
const PageSchema = v.object({
  kind: v.literal("PodList"),
  metadata: v.object({ resourceVersion: VersionSchema, continue: v.nullish(v.string()) }),
  items: v.nullish(v.array(v.unknown())),
});

/** Decodes a page of a list of pods; throws an Error when it is not one. */
export function decodePodPage(text: string): PodPage {
  const { items, metadata } = decode(PageSchema, text, "a PodList");
  return {
    items: items ?? [],
    resourceVersion: metadata.resourceVersion,
    continue: metadata.continue || undefined,
  };
}

const VersionedSchema = v.looseObject({ metadata: v.looseObject({ resourceVersion: VersionSchema }) });
const EventSchema = v.variant("type", [
  v.object({ type: v.picklist(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]), object: VersionedSchema }),
  v.object({ type: v.literal("ERROR"), object: v.object({ code: v.number(), message: v.string() }) }),
]);

/** Decodes a line of a watch of pods; throws an Error when it is not an event. */
export function decodePodEvent(line: string): PodEvent {
  const event = decode(EventSchema, line, "a watch event");
  if (event.type === "ERROR") return { type: event.type, ...event.object };
  return { ...event, resourceVersion: event.object.metadata.resourceVersion };
}
