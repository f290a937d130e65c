import { parseArgs } from "node:util";
import type { ArgDef, ArgsDef } from "citty";
import * as v from "valibot";
import { flagName } from "./knob-names.ts";
import { nearestName } from "./nearest.ts";

/** Metadata of a knob's schema for the command line. */
interface FlagMetadata {
  /** True for a positional argument. */
  readonly isPositional?: boolean;
  /** Short form of its flag. */
  readonly letter?: string;
}

type KnobsSchema = v.StrictObjectSchema<v.ObjectEntries, undefined>;

/**
 * Parses a command line to the knobs that it sets. Throws an Error for an unknown flag, a missing value or an
 * unexpected argument: citty ignores unknown flags, and with `--dry-rum` a command would change the host.
 */
export function readFlags(argv: readonly string[], schema: KnobsSchema): Record<string, unknown> {
  const isPositional = (knob: string) => metadataOf(schema, knob).isPositional === true;
  const knobs = Object.keys(schema.entries);
  const positionals = knobs.filter(isPositional);
  const flags = new Map(knobs.filter((knob) => !isPositional(knob)).map((knob) => [flagName(knob), knob]));
  const options = Object.fromEntries(
    [...flags].map(([flag, knob]) => {
      const { letter } = metadataOf(schema, knob);
      const option = { type: typeOf(schema, knob), multiple: isList(schema, knob) };
      return [flag, letter === undefined ? option : { ...option, short: letter }];
    }),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, tokens: true });
  const known = [...flags.keys()].map((flag) => `--${flag}`).join(", ");

  const set: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "positional") {
      const positional = positionals.shift();
      if (positional === undefined)
        throw new Error(`unexpected argument ${token.value}: the flags are ${known}`);
      set[positional] = token.value;
      continue;
    }
    if (token.kind === "option-terminator") continue;
    const knob = flags.get(token.name);
    if (knob === undefined) {
      const nearest = nearestName(token.name, [...flags.keys()]);
      const hint = nearest === undefined ? `the flags are ${known}` : `did you mean --${nearest}?`;
      throw new Error(`unknown flag ${token.rawName}: ${hint}`);
    }
    const value = takeValue(token.rawName, token.value, typeOf(schema, knob));
    set[knob] = isList(schema, knob) ? [...((set[knob] as unknown[] | undefined) ?? []), value] : value;
  }
  return set;
}

function takeValue(flag: string, value: string | undefined, type: "boolean" | "string"): string | true {
  if (type === "string" && value === undefined) throw new Error(`${flag} needs a value`);
  if (type === "boolean" && value !== undefined)
    throw new Error(`${flag} takes no value, not ${JSON.stringify(value)}`);
  return value ?? true;
}

/** Throws an Error if more than one of these flags is set; undefined for a flag that is not. */
export function refuseBoth(flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).filter((flag) => flags[flag] !== undefined);
  if (given.length > 1) throw new Error(`${given.join(" and ")} exclude one another`);
}

/** Converts the knobs of a command to citty's arguments, for its usage screen. */
export function flagsOf(schema: KnobsSchema): ArgsDef {
  return Object.fromEntries(
    Object.keys(schema.entries).map((knob) => [flagName(knob), flagOf(schema, knob)]),
  );
}

function flagOf(schema: KnobsSchema, knob: string): ArgDef {
  const entry = schema.entries[knob] as v.GenericSchema;
  const fallback = v.getDefault(entry);
  const shown = fallback === undefined || fallback === false ? "" : [fallback].flat().join(", ");
  const standard = shown === "" ? "" : ` (default: ${shown})`;
  const description = `${v.getDescription(entry)}${standard}`;
  const { isPositional, letter } = metadataOf(schema, knob);
  if (isPositional) return { type: "positional", description };
  if (typeOf(schema, knob) === "boolean") return { type: "boolean", description };
  const flag = { description, valueHint: wordsOf(schema, knob)?.join("|") ?? "value" };
  return letter === undefined ? { type: "string", ...flag } : { type: "string", ...flag, alias: letter };
}

function metadataOf(schema: KnobsSchema, knob: string): FlagMetadata {
  return v.getMetadata(schema.entries[knob] as v.GenericSchema);
}

function wordsOf(schema: KnobsSchema, knob: string): readonly string[] | undefined {
  const inner = innerOf(schema, knob);
  const steps = "pipe" in inner ? (inner.pipe as readonly object[]) : [inner];
  return steps.flatMap((step) => ("options" in step ? [step.options as string[]] : []))[0];
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
