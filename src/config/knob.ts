import * as v from "valibot";
import { SwitchSchema } from "./value-schemas.ts";

/** Makes a knob with a default, and the description of its flag. */
export function knob<const S extends v.GenericSchema, const D extends v.Default<S, undefined>>(
  schema: S,
  fallback: D,
  description: string,
) {
  return v.pipe(v.optional(schema, fallback), v.description(description));
}

/** Makes a knob that is undefined where it is not set. */
export function optionalKnob<const S extends v.GenericSchema>(schema: S, description: string) {
  return v.pipe(v.optional(schema), v.description(description));
}

/** Makes a knob that is off by default. */
export function switchKnob(description: string) {
  return knob(SwitchSchema, false, description);
}
