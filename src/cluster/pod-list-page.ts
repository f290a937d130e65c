import type { V1ListMeta, V1PodList } from "@kubernetes/client-node";
import * as v from "valibot";
import { decode } from "./decode.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";
import { VersionSchema } from "./watch-event.ts";

/** Place of a page in a list of pods. */
export interface PodListPage {
  /** Version from which a watch continues after the last page. */
  readonly resourceVersion: string;
  /** Token for the next page; undefined in the last one. */
  readonly continue: string | undefined;
}

const PageSchema = v.object({
  kind: v.literal("PodList"),
  metadata: v.object({
    resourceVersion: VersionSchema,
    continue: v.nullish(v.string()),
  } satisfies FieldSchemas<V1ListMeta>),
  items: v.nullish(v.array(v.unknown())),
} satisfies FieldSchemas<V1PodList>);

/** Decodes a page of a list of pods, with or without its items; throws an Error if it is malformed. */
export function decodePodListPage(text: string): PodListPage {
  const { metadata } = decode(PageSchema, text, "a PodList");
  return { resourceVersion: metadata.resourceVersion, continue: metadata.continue || undefined };
}
