import * as v from "valibot";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { MEMORY_FILES } from "../../policy/memory-qos/files.ts";
import { fieldsSchema } from "../strict-object.ts";
import { AbsolutePathSchema, choiceSchema, SwitchSchema } from "../value-schemas.ts";

/** Where containerd and CRI-O listen for plugins unless they are told (containerd/nri pkg/api/plugin.go). */
export const NRI_SOCKET = "/var/run/nri/nri.sock";

/** Wasp's place among the runtime's plugins unless it is told: that of the original in its own document. */
export const NRI_INDEX = "40";

// As the configuration of wasp nri has it, so that one can be moved to the other as it is.
const ClassSchema = v.pipe(
  withAnyCase(
    "a class",
    fieldsSchema("a class", {
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

const MemoryQosSchema = v.pipe(
  withAnyCase(
    "a configuration of memory QoS",
    fieldsSchema("a configuration of memory QoS", {
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

/** Writes a configuration of memory QoS as the file of wasp nri, and the knob, have it. */
export function memoryQosAsWritten({ classes, unifiedAnnotations }: MemoryQosConfig) {
  return {
    classes: classes.map(({ name, swapLimitRatio }) => ({ name, swaplimitratio: swapLimitRatio })),
    unifiedannotations: [...unifiedAnnotations],
  };
}

/** The knobs of the agent as a plugin of NRI. */
export const NRI_KNOBS = {
  nri: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Put limits into containers' specs too, as a plugin of containerd or CRI-O (NRI)"),
  ),
  nriSocket: v.pipe(
    v.optional(AbsolutePathSchema, NRI_SOCKET),
    v.description("Where the runtime listens for plugins"),
  ),
  memoryQos: v.pipe(
    v.optional(MemoryQosSchema),
    v.description(
      "The classes and files of memory QoS that pods may ask for; unset, nobody looks what they ask for",
    ),
  ),
  memoryQosOnError: v.pipe(
    v.optional(choiceSchema(["Refuse", "Ignore"]), "Refuse"),
    v.description("What a container gets whose pod has a wrong annotation: no start, or one without it"),
  ),
};

/** Takes the letters of an object's fields in any case. */
function withAnyCase<const Schema extends v.GenericSchema<Record<string, unknown>>>(
  what: string,
  schema: Schema,
) {
  return v.pipe(
    v.record(v.string(), v.unknown(), `is not ${what}`),
    v.transform((object) =>
      Object.fromEntries(Object.entries(object).map(([field, value]) => [field.toLowerCase(), value])),
    ),
    schema,
  );
}
