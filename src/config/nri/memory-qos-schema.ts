import * as v from "valibot";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { MEMORY_FILES } from "../../policy/memory-qos/files.ts";
import { strictObjectSchema } from "../strict-object.ts";
import { choiceSchema } from "../value-schemas.ts";

const NO_RATIO = "is not a number from 0 to 1";
const RatioSchema = v.pipe(v.number(NO_RATIO), v.minValue(0, NO_RATIO), v.maxValue(1, NO_RATIO));

// The same fields as in the configuration file of wasp nri, so that its text can be used for the knob.
const ClassSchema = v.pipe(
  anyCaseObjectSchema("a class", {
    name: v.pipe(v.string("is not a name"), v.nonEmpty("is not a name")),
    swaplimitratio: v.optional(RatioSchema, 0),
  }),
  v.transform(({ name, swaplimitratio }) => ({ name, swapLimitRatio: swaplimitratio })),
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
    unifiedannotations: v.optional(v.array(choiceSchema(MEMORY_FILES), "is not a list of files"), []),
  }),
  v.transform(
    ({ classes, unifiedannotations: unifiedAnnotations }): MemoryQosConfig => ({
      classes,
      unifiedAnnotations,
    }),
  ),
);

/** Converts a configuration of memory QoS to the fields of the knob and of the file of wasp nri. */
export function memoryQosAsWritten({ classes, unifiedAnnotations }: MemoryQosConfig) {
  return {
    classes: classes.map(({ name, swapLimitRatio }) => ({ name, swaplimitratio: swapLimitRatio })),
    unifiedannotations: [...unifiedAnnotations],
  };
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
