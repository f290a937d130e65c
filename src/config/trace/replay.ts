import * as v from "valibot";
import { type AgentConfig, RUN_FLAGS } from "../agent/knobs.ts";
import { type ConfigInputs, layerConfig } from "../agent/load.ts";
import { readFlags } from "../flags.ts";
import { choiceSchema, complaintOf, flagName, SwitchSchema } from "../value-schemas.ts";

/** Every flag of `wasp trace replay`. */
export const TraceReplayFlagsSchema = v.strictObject({
  file: v.pipe(
    v.string(),
    v.description("The recording; one whose name ends in .gz is decompressed"),
    v.metadata({ isWord: true }),
  ),
  config: v.pipe(
    RUN_FLAGS.config,
    v.description("Decide by this file of wasp agent, whatever its evictionMode; unset, by the defaults"),
  ),
  compare: v.pipe(
    v.optional(v.string()),
    v.description("Decide by this file too, and show both side by side"),
  ),
  output: v.pipe(
    v.optional(choiceSchema(["table", "json"]), "table"),
    v.description("A plot and tables for people, or one JSON document"),
    v.metadata({ letter: "o" }),
  ),
  observations: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Put what was observed at each moment into the JSON document"),
  ),
});

/** A configuration of the agent, by which a recording is replayed. */
export interface NamedConfig {
  /** The file that it is from, or `defaults`. */
  readonly name: string;
  readonly config: AgentConfig;
}

/** The configuration of `wasp trace replay`. */
export interface TraceReplayConfig {
  readonly file: string;
  readonly output: "table" | "json";
  readonly observations: boolean;
  /** One, or two that are compared. */
  readonly configs: readonly [NamedConfig] | readonly [NamedConfig, NamedConfig];
}

/**
 * Reads the configuration of `wasp trace replay`. The environment has no part in it: a recording is replayed alike
 * wherever that is done. Throws one error that complains of all that is wrong, a line each.
 */
export function loadTraceReplayConfig({ argv, readFile }: Omit<ConfigInputs, "env">): TraceReplayConfig {
  const flags = readFlags(argv, TraceReplayFlagsSchema);
  if (!("file" in flags)) throw new Error("which recording? wasp trace replay FILE");
  const result = v.safeParse(TraceReplayFlagsSchema, flags);
  if (!result.success) throw new Error(result.issues.map(complaint).join("\n"));
  const { config, compare, ...knobs } = result.output;
  const read = (name: string | undefined): NamedConfig => ({
    name: name ?? "defaults",
    config: layerConfig({}, name, { env: {}, readFile }).config,
  });
  return { ...knobs, configs: compare === undefined ? [read(config)] : [read(config), read(compare)] };
}

function complaint(issue: v.BaseIssue<unknown>): string {
  return `--${flagName(String(issue.path?.[0]?.key))}: ${complaintOf(issue)}`;
}
