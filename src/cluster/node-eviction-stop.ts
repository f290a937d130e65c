import type { Node } from "./node.ts";

/** Annotation of a node by which an administrator stops evictions there. */
export const STOP_ANNOTATION = "wasp.io/eviction";

const STOPPING_VALUE = "Off";

/** Returns true if the node's annotation `wasp.io/eviction` is `Off`, in any case of its letters. */
export function stopsEviction(node: Node): boolean {
  return node.annotations[STOP_ANNOTATION]?.toLowerCase() === STOPPING_VALUE.toLowerCase();
}

/** Returns a complaint about a value of the annotation `wasp.io/eviction` that has no effect; undefined for none. */
export function stopComplaint(node: Node): string | undefined {
  const value = node.annotations[STOP_ANNOTATION];
  if (value === undefined || stopsEviction(node)) return undefined;
  const shown = JSON.stringify(value.slice(0, MAX_SHOWN_CHARACTERS));
  return `${STOP_ANNOTATION}: ${shown} is not ${STOPPING_VALUE}, the only value that stops evictions`;
}

const MAX_SHOWN_CHARACTERS = 100;
