import * as v from "valibot";
import { type AgentConfig, AgentConfigSchema, RUN_FLAGS } from "../agent/knobs.ts";
import { type ConfigInputs, layerConfig } from "../agent/load.ts";
import { readFlags } from "../flags.ts";
import { complaintOf, DurationSchema, flagName, QuantitySchema, SwitchSchema } from "../value-schemas.ts";

const RECORD_KNOBS = {
  output: v.pipe(
    v.optional(v.string()),
    v.description("Write the recording to this new file; unset, to the standard output"),
  ),
  force: v.pipe(v.optional(SwitchSchema, false), v.description("Replace the file if it is there")),
  duration: v.pipe(
    v.optional(DurationSchema),
    v.description("End after so long, as in 90s, 10m or 2h; unset, at Ctrl-C or SIGTERM"),
  ),
  maxSizeBytes: v.pipe(
    v.optional(QuantitySchema, "100Mi"),
    v.description("End before the recording is larger than this quantity"),
  ),
  hashNames: v.pipe(
    v.optional(SwitchSchema, false),
    v.description(
      "Record hashes instead of names and ids; figures, requests, priorities, owners' kinds and annotations' values stay",
    ),
  ),
  podsFile: v.pipe(
    v.optional(v.string()),
    v.description("Read the pods from this PodList in JSON, again when it changes, and ask nobody"),
  ),
  withoutPods: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Record no pods, only the cgroups of their containers"),
  ),
};

// How the agent learns of the node's pods, a recording does.
const {
  podSource,
  nodeName,
  kubeletHost,
  kubeletPort,
  kubeletTokenFile,
  kubeletCaFile,
  kubeletServingCertificateFile,
  kubeletServerName,
  kubeletInsecure,
  apiServerUrl,
  apiServerTokenFile,
  apiServerCaFile,
  podPollSeconds,
  fsroot,
} = AgentConfigSchema.entries;

/** Every flag of `wasp trace record`. */
export const TraceRecordFlagsSchema = v.strictObject({
  ...RECORD_KNOBS,
  config: v.pipe(
    RUN_FLAGS.config,
    v.description(
      "Read the knobs below from this file of wasp agent; the environment and flags come before it",
    ),
  ),
  ...{ podSource, nodeName },
  ...{ kubeletHost, kubeletPort, kubeletTokenFile, kubeletCaFile, kubeletServingCertificateFile },
  ...{ kubeletServerName, kubeletInsecure },
  ...{ apiServerUrl, apiServerTokenFile, apiServerCaFile },
  ...{ podPollSeconds, fsroot },
});

/** The configuration of `wasp trace record`. */
export interface TraceRecordConfig {
  /** Undefined for the standard output. */
  readonly output: string | undefined;
  readonly force: boolean;
  /** Infinity for no end. */
  readonly durationSeconds: number;
  readonly maxSizeBytes: number;
  readonly hashNames: boolean;
  readonly podsFile: string | undefined;
  readonly withoutPods: boolean;
  /** What the agent would do on this node: where the node is found, and who is asked for its pods. */
  readonly agent: AgentConfig;
}

/**
 * Reads the configuration of `wasp trace record` from where the agent reads its own. Throws one error that complains of
 * all that is wrong, a line each.
 */
export function loadTraceRecordConfig({ argv, env, readFile }: ConfigInputs): TraceRecordConfig {
  const flags = readFlags(argv, TraceRecordFlagsSchema);
  const result = v.safeParse(v.object(RECORD_KNOBS), flags);
  if (!result.success) throw new Error(result.issues.map(complaint).join("\n"));
  const { duration, output, podsFile, ...knobs } = result.output;
  if (knobs.withoutPods && podsFile !== undefined)
    throw new Error("--without-pods and --pods-file: only one of them can be meant");
  const { config } = v.parse(v.object({ config: RUN_FLAGS.config }), flags);
  return Object.freeze({
    ...knobs,
    output,
    podsFile,
    durationSeconds: duration ?? Number.POSITIVE_INFINITY,
    agent: layerConfig(flags, config, { env, readFile }).config,
  });
}

function complaint(issue: v.BaseIssue<unknown>): string {
  return `--${flagName(String(issue.path?.[0]?.key))}: ${complaintOf(issue)}`;
}
