import { parseArgs } from "node:util";
import type { ArgDef, ArgsDef } from "citty";
import * as v from "valibot";
import { flagName } from "./config.ts";

/** A flag that no command has, one without its value, or a stray word; the message names it and what there is. */
export class UsageError extends Error {}

type KnobsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * Reads a command line into the knobs that it sets. Throws a UsageError for an unknown flag: citty would take it in
 * silence, and a `--dry-rum` would then be a run for real.
 */
export function readFlags(argv: readonly string[], schema: KnobsSchema): Record<string, unknown> {
  const flags = new Map(Object.keys(schema.entries).map((knob) => [flagName(knob), knob]));
  const options = Object.fromEntries(
    [...flags].map(([flag, knob]) => [flag, { type: typeOf(schema, knob), multiple: isList(schema, knob) }]),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const known = [...flags.keys()].map((flag) => `--${flag}`).join(", ");

  const set: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument ${token.value}: only flags are taken (${known})`);
    const knob = flags.get(token.name);
    if (knob === undefined) throw new UsageError(`unknown flag ${token.rawName}: the flags are ${known}`);
    const isSwitch = typeOf(schema, knob) === "boolean";
    if (isSwitch && token.value !== undefined)
      throw new UsageError(`${token.rawName} takes no value, not ${JSON.stringify(token.value)}`);
    if (!isSwitch && token.value === undefined) throw new UsageError(`${token.rawName} needs a value`);
    set[knob] = isList(schema, knob)
      ? [...((set[knob] as string[]) ?? []), token.value]
      : (token.value ?? true);
  }
  return set;
}

/** The knobs of a command as citty's flags, for its usage screen. */
export function flagsOf(schema: KnobsSchema): ArgsDef {
  return Object.fromEntries(
    Object.keys(schema.entries).map((knob) => [flagName(knob), flagOf(schema, knob)]),
  );
}

function flagOf(schema: KnobsSchema, knob: string): ArgDef {
  const entry = schema.entries[knob] as v.GenericSchema;
  const fallback = v.getDefault(entry);
  const description = [
    v.getDescription(entry),
    fallback === undefined || fallback === false ? "" : `(default: ${[fallback].flat().join(", ")})`,
  ]
    .join(" ")
    .trim();
  if (typeOf(schema, knob) === "boolean") return { type: "boolean", description };
  const inner = innerOf(schema, knob);
  return {
    type: "string",
    description,
    valueHint: "options" in inner ? (inner.options as string[]).join("|") : "value",
  };
}

function typeOf(schema: KnobsSchema, knob: string): "boolean" | "string" {
  return innerOf(schema, knob).type === "boolean" ? "boolean" : "string";
}

function isList(schema: KnobsSchema, knob: string): boolean {
  return innerOf(schema, knob).type === "array";
}

function innerOf(schema: KnobsSchema, knob: string): v.GenericSchema {
  const entry = schema.entries[knob] as v.GenericSchema;
  return "wrapped" in entry ? (entry.wrapped as v.GenericSchema) : entry;
}
