import * as v from "valibot";
import { SIGNALS, type Signal, type SignalUnit, unitOf } from "../../policy/eviction/signals.ts";
import { type Condition, OPERATORS, type Threshold } from "../../policy/eviction/threshold.ts";
import { formatQuantity, parseQuantity } from "../../policy/kubernetes/quantity.ts";
import { strictObjectSchema } from "../strict-object.ts";
import { choiceSchema, wholeNumberSchema } from "../value-schemas.ts";

const SignalSchema = choiceSchema(SIGNALS);

const ConditionSchema = v.pipe(
  strictObjectSchema("a condition", {
    signal: SignalSchema,
    operator: choiceSchema(OPERATORS),
    value: v.unknown(),
  }),
  v.rawTransform(({ dataset: { value: written }, addIssue, NEVER }): Condition => {
    const { signal, operator, value: input } = written;
    const value = parseFigure(input, unitOf(signal));
    if (value !== undefined) return { signal, operator, value };
    const path = [{ type: "object", origin: "value", input: written, key: "value", value: input }] as const;
    addIssue({ message: `is not ${VALID_FIGURES[unitOf(signal)]}`, input, path: [...path] });
    return NEVER;
  }),
);

const ThresholdSchema = v.pipe(
  strictObjectSchema("a threshold", {
    name: v.pipe(
      v.string("is not a name"),
      v.regex(
        /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
        "is not a name of lower-case letters, digits and dashes",
      ),
    ),
    allOf: v.pipe(
      v.array(ConditionSchema, "is not a list of conditions"),
      v.nonEmpty("has no condition, so the threshold would never be met"),
    ),
    graceSeconds: wholeNumberSchema(0, 3600),
    minClearSeconds: wholeNumberSchema(0, 86_400),
    hard: v.optional(v.boolean("is neither true nor false"), false),
    unless: v.exactOptional(ConditionSchema),
    onlyWithout: v.exactOptional(SignalSchema),
  }),
  v.transform(({ hard, ...threshold }): Threshold => ({ ...threshold, isHard: hard })),
);

/** List of thresholds with unique names. */
export const ThresholdsSchema = v.pipe(
  v.array(ThresholdSchema, "is not a list of thresholds"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const names = dataset.value.map(({ name }) => name);
    const repeated = names.find((name, index) => names.indexOf(name) < index);
    if (repeated !== undefined) addIssue({ message: "is the name of two thresholds", input: repeated });
  }),
);

/** Threshold as in a configuration file. */
export type WrittenThreshold = v.InferInput<typeof ThresholdSchema>;

/** Converts a threshold to the form that ThresholdsSchema reads. */
export function thresholdAsWritten({ isHard, allOf, unless, ...threshold }: Threshold): WrittenThreshold {
  const { name, graceSeconds, minClearSeconds, ...rest } = threshold;
  return {
    name,
    allOf: allOf.map(conditionAsWritten),
    ...(unless && { unless: conditionAsWritten(unless) }),
    ...{ graceSeconds, minClearSeconds, hard: isHard },
    ...rest,
  };
}

function conditionAsWritten({ value, ...rest }: Condition) {
  return { ...rest, value: figureAsWritten(value, rest.signal) };
}

const VALID_FIGURES: Readonly<Record<SignalUnit, string>> = {
  fraction: "a fraction such as 0.1 or a percentage such as 10%",
  "pages a second": "a number of pages a second, such as 1000",
  bytes: "a quantity of bytes, such as 100Mi",
};

const PLAIN_NUMBER = /^\d{1,15}(?:\.\d{1,15})?$/;
const PERCENT_PER_UNIT = 100;

function parseFigure(input: unknown, unit: SignalUnit): number | undefined {
  if (typeof input === "number" && unit !== "bytes")
    return input >= 0 && Number.isFinite(input) ? input : undefined;
  if (typeof input !== "number" && typeof input !== "string") return undefined;
  const text = String(input);
  if (unit === "bytes") return parseQuantity(text);
  if (unit === "fraction" && text.endsWith("%")) {
    const percent = text.slice(0, -1);
    return PLAIN_NUMBER.test(percent) ? Number(percent) / PERCENT_PER_UNIT : undefined;
  }
  return PLAIN_NUMBER.test(text) ? Number(text) : undefined;
}

// As a percentage, if that is exactly the same number.
function figureAsWritten(value: number, signal: Signal): number | string {
  const unit = unitOf(signal);
  if (unit === "bytes") return formatQuantity(value);
  const percent = `${Number((value * PERCENT_PER_UNIT).toPrecision(12))}%`;
  return unit === "fraction" && parseFigure(percent, unit) === value ? percent : value;
}
