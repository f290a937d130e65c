import * as v from "valibot";
import { type AgentConfig, AgentConfigSchema, RUN_FLAGS } from "../agent/knobs.ts";
import { type ConfigInputs, layerConfig } from "../agent/load.ts";
import { flagComplaint } from "../complaint.ts";
import { readFlags } from "../flags.ts";
import { knob, optionalKnob, switchKnob } from "../knob.ts";
import { DurationSchema, QuantitySchema } from "../value-schemas.ts";

const RecordSchema = v.object({
  output: optionalKnob(v.string(), "New file of the recording; unset, standard output"),
  force: switchKnob("Replace the file if it exists"),
  duration: optionalKnob(
    DurationSchema,
    "Duration of the recording, as in 90s, 10m or 2h; unset, until Ctrl-C or SIGTERM",
  ),
  maxSizeBytes: knob(QuantitySchema, "100Mi", "Maximum size of the recording, at which it ends"),
  hashNames: switchKnob(
    "Record hashes in place of names and ids, but not of figures, requests, priorities, owners' kinds and annotations' values",
  ),
  podsFile: optionalKnob(
    v.string(),
    "Read the pods from this file, a PodList in JSON, and again when it changes, instead of requesting them",
  ),
  withoutPods: switchKnob("Record only the cgroups of containers, without pods"),
});

type RecordKnobs = v.InferOutput<typeof RecordSchema>;

// A recording reads the node's pods as the agent does.
const { entries: POD_SOURCE_KNOBS } = v.pick(AgentConfigSchema, [
  "podSource",
  "nodeName",
  "kubeletHost",
  "kubeletPort",
  "kubeletTokenFile",
  "kubeletCaFile",
  "kubeletServingCertificateFile",
  "kubeletServerName",
  "kubeletInsecure",
  "apiServerUrl",
  "apiServerTokenFile",
  "apiServerCaFile",
  "podPollSeconds",
  "fsroot",
]);

/** Flags of `wasp trace record`. */
export const TraceRecordFlagsSchema = v.strictObject({
  ...RecordSchema.entries,
  config: v.pipe(
    RUN_FLAGS.config,
    v.description(
      "Configuration file of wasp agent with the knobs below; the environment and flags take precedence",
    ),
  ),
  ...POD_SOURCE_KNOBS,
});

/** Configuration of `wasp trace record`. */
export interface TraceRecordConfig extends Readonly<Omit<RecordKnobs, "duration">> {
  /** Infinity for a recording without time limit. */
  readonly durationSeconds: number;
  /** Configuration of the agent on this node, which has the node's root and the source of its pods. */
  readonly agent: AgentConfig;
}

/**
 * Reads the configuration of `wasp trace record` from the same sources as the agent's. Throws one Error with a line for
 * each complaint.
 */
export function loadTraceRecordConfig({ argv, env, readFile }: ConfigInputs): TraceRecordConfig {
  const flags = readFlags(argv, TraceRecordFlagsSchema);
  const result = v.safeParse(RecordSchema, flags);
  if (!result.success) throw new Error(result.issues.map(flagComplaint).join("\n"));
  const { duration, ...knobs } = result.output;
  if (knobs.withoutPods && knobs.podsFile !== undefined)
    throw new Error("--without-pods and --pods-file exclude one another");
  const { config } = v.parse(v.object({ config: RUN_FLAGS.config }), flags);
  return Object.freeze({
    ...knobs,
    durationSeconds: duration ?? Number.POSITIVE_INFINITY,
    agent: layerConfig(flags, config, { env, readFile }).config,
  });
}
