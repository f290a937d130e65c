import * as v from "valibot";
import { type AgentConfig, RUN_FLAGS } from "../agent/knobs.ts";
import { type ConfigInputs, layerConfig } from "../agent/load.ts";
import { flagComplaint } from "../complaint.ts";
import { readFlags } from "../flags.ts";
import { optionalKnob, switchKnob } from "../knob.ts";
import { choiceSchema } from "../value-schemas.ts";

/** Flags of `wasp trace replay`. */
export const TraceReplayFlagsSchema = v.strictObject({
  file: v.pipe(
    v.string(),
    v.description("File of the recording, plain or compressed by gzip"),
    v.metadata({ isPositional: true }),
  ),
  config: v.pipe(
    RUN_FLAGS.config,
    v.description(
      "Configuration file of wasp agent to decide with, its evictionMode ignored; unset, the defaults",
    ),
  ),
  compare: optionalKnob(
    v.string(),
    "Second configuration file, whose decisions are shown side by side with the first's",
  ),
  output: v.pipe(
    v.optional(choiceSchema(["table", "json"]), "table"),
    v.description("A plot and tables for people, or one JSON document"),
    v.metadata({ letter: "o" }),
  ),
  observations: switchKnob("Include the observation of every snapshot in the JSON document"),
});

type ReplayKnobs = v.InferOutput<typeof TraceReplayFlagsSchema>;

/** Configuration of the agent with which a recording is replayed. */
export interface NamedConfig {
  /** File of the configuration, or `defaults`. */
  readonly name: string;
  readonly config: AgentConfig;
}

/** Configuration of `wasp trace replay`. */
export interface TraceReplayConfig extends Readonly<Omit<ReplayKnobs, "config" | "compare">> {
  /** One configuration, or two to compare. */
  readonly configs: readonly [NamedConfig] | readonly [NamedConfig, NamedConfig];
}

/**
 * Reads the configuration of `wasp trace replay`, which ignores the environment: a replay has the same result on every
 * machine. Throws one Error with a line for each complaint.
 */
export function loadTraceReplayConfig({ argv, readFile }: Omit<ConfigInputs, "env">): TraceReplayConfig {
  const flags = readFlags(argv, TraceReplayFlagsSchema);
  if (!("file" in flags)) throw new Error("the recording is missing: wasp trace replay FILE");
  const result = v.safeParse(TraceReplayFlagsSchema, flags);
  if (!result.success) throw new Error(result.issues.map(flagComplaint).join("\n"));
  const { config, compare, ...knobs } = result.output;
  const read = (name: string | undefined): NamedConfig => ({
    name: name ?? "defaults",
    config: layerConfig({}, name, { env: {}, readFile }).config,
  });
  return { ...knobs, configs: compare === undefined ? [read(config)] : [read(config), read(compare)] };
}
