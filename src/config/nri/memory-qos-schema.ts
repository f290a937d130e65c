import * as v from "valibot";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { MEMORY_FILES } from "../../policy/memory-qos/files.ts";
import { strictObjectSchema } from "../strict-object.ts";
import { choiceSchema } from "../value-schemas.ts";

// The same fields as in the configuration file of wasp nri, so that its text can be used for the knob.
const ClassSchema = v.pipe(
  withAnyCase(
    "a class",
    strictObjectSchema("a class", {
      name: v.pipe(v.string("is not a name"), v.nonEmpty("is not a name")),
      swaplimitratio: v.optional(
        v.pipe(
          v.number("is not a number from 0 to 1"),
          v.minValue(0, "is not a number from 0 to 1"),
          v.maxValue(1, "is not a number from 0 to 1"),
        ),
        0,
      ),
    }),
  ),
  v.transform(({ name, swaplimitratio }) => ({ name, swapLimitRatio: swaplimitratio })),
);

/** Configuration of memory QoS in the agent's configuration file. */
export const MemoryQosSchema = v.pipe(
  withAnyCase(
    "a configuration of memory QoS",
    strictObjectSchema("a configuration of memory QoS", {
      classes: v.optional(
        v.pipe(
          v.array(ClassSchema, "is not a list of classes"),
          v.check(
            (classes) => new Set(classes.map(({ name }) => name)).size === classes.length,
            "has two classes of the same name",
          ),
        ),
        [],
      ),
      unifiedannotations: v.optional(v.array(choiceSchema(MEMORY_FILES), "is not a list of files"), []),
    }),
  ),
  v.transform(
    ({ classes, unifiedannotations }): MemoryQosConfig => ({
      classes,
      unifiedAnnotations: unifiedannotations,
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

/** Makes a schema accept its fields in any case. */
function withAnyCase<const Schema extends v.GenericSchema<Record<string, unknown>>>(
  title: string,
  schema: Schema,
) {
  return v.pipe(
    v.record(v.string(), v.unknown(), `is not ${title}`),
    v.transform((object) =>
      Object.fromEntries(Object.entries(object).map(([field, value]) => [field.toLowerCase(), value])),
    ),
    schema,
  );
}
