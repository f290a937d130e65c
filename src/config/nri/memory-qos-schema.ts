import * as v from "valibot";
import { formatQuantity } from "../../policy/kubernetes/quantity.ts";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { BOUNDED_FILES, MEMORY_FILES } from "../../policy/memory-qos/files.ts";
import { strictObjectSchema } from "../strict-object.ts";
import { choiceSchema, LimitSchema } from "../value-schemas.ts";

const NO_RATIO = "is not a number from 0 to 1";
const RatioSchema = v.pipe(v.number(NO_RATIO), v.minValue(0, NO_RATIO), v.maxValue(1, NO_RATIO));

// The same fields as in the configuration file of wasp nri, so that its text can be used for the knob.
const ClassSchema = v.pipe(
  anyCaseObjectSchema("a class", {
    name: v.pipe(v.string("is not a name"), v.nonEmpty("is not a name")),
    swaplimitratio: v.optional(RatioSchema, 0),
    max: v.optional(LimitSchema),
  }),
  v.transform(({ name, swaplimitratio, max }) => ({
    name,
    swapLimitRatio: swaplimitratio,
    ...(max !== undefined && { maxSwapBytes: max }),
  })),
);

// A file alone, or with the largest value that a pod may set.
const BoundedFileSchema = anyCaseObjectSchema("a file with its max", {
  file: choiceSchema(BOUNDED_FILES),
  max: LimitSchema,
});

// By its type, and not by trying one after the other: the complaint is about what was meant.
const FileSchema = v.lazy((input) =>
  typeof input === "object" && input !== null ? BoundedFileSchema : choiceSchema(MEMORY_FILES),
);

const ClassesSchema = v.pipe(
  v.array(ClassSchema, "is not a list of classes"),
  v.check(
    (classes) => new Set(classes.map(({ name }) => name)).size === classes.length,
    "has two classes of the same name",
  ),
);

/** Configuration of memory QoS in the agent's configuration file. */
export const MemoryQosSchema = v.pipe(
  anyCaseObjectSchema("a configuration of memory QoS", {
    classes: v.optional(ClassesSchema, []),
    unifiedannotations: v.optional(v.array(FileSchema, "is not a list of files"), []),
  }),
  v.transform(({ classes, unifiedannotations }): MemoryQosConfig => {
    const bounded = unifiedannotations.filter((item) => typeof item === "object");
    return {
      classes,
      unifiedAnnotations: unifiedannotations.map((item) => (typeof item === "string" ? item : item.file)),
      ...(bounded.length > 0 && {
        maxBytes: Object.fromEntries(bounded.map(({ file, max }) => [file, max])),
      }),
    };
  }),
);

/** Converts a configuration of memory QoS to the fields of the knob and of the file of wasp nri. */
export function memoryQosAsWritten({ classes, unifiedAnnotations, maxBytes = {} }: MemoryQosConfig) {
  return {
    classes: classes.map(({ name, swapLimitRatio, maxSwapBytes }) => ({
      name,
      swaplimitratio: swapLimitRatio,
      ...maxAsWritten(maxSwapBytes),
    })),
    unifiedannotations: unifiedAnnotations.map((file) =>
      maxBytes[file] === undefined ? file : { file, ...maxAsWritten(maxBytes[file]) },
    ),
  };
}

function maxAsWritten(bytes: number | undefined): { max?: string } {
  if (bytes === undefined) return {};
  return { max: bytes === Number.POSITIVE_INFINITY ? "max" : formatQuantity(bytes) };
}

/** Makes the schema of an object with these fields, in any case, and no others. */
function anyCaseObjectSchema<const Entries extends v.ObjectEntries>(title: string, entries: Entries) {
  return v.pipe(
    v.record(v.string(), v.unknown(), `is not ${title}`),
    v.transform((object) =>
      Object.fromEntries(Object.entries(object).map(([field, value]) => [field.toLowerCase(), value])),
    ),
    strictObjectSchema(title, entries),
  );
}
