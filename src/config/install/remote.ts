import * as v from "valibot";
import { DurationSchema, flagName, SwitchSchema, wholeNumberSchema } from "../value-schemas.ts";

const PathSchema = v.pipe(v.string(), v.nonEmpty("is no file"));

/** The knobs of a command that may be run on other hosts over ssh. */
export const REMOTE_KNOBS = {
  ssh: v.pipe(
    v.optional(v.array(v.string()), []),
    v.description(
      "Do it on this host over ssh, as user@host or as ssh's configuration names it; may be given again",
    ),
  ),
  hosts: v.pipe(
    v.optional(PathSchema),
    v.description("Do it on the hosts that this file names, one a line, with # before a comment"),
  ),
  parallel: v.pipe(v.optional(wholeNumberSchema(1, 100), 5), v.description("On how many hosts at a time")),
  hostTimeout: v.pipe(
    v.optional(DurationSchema, "15m"),
    v.description("How long a host may take altogether"),
  ),
  connectTimeout: v.pipe(
    v.optional(DurationSchema, "15s"),
    v.description("How long a host may take to answer"),
  ),
  programX64: v.pipe(
    v.optional(PathSchema),
    v.description("The executable for hosts of x86-64; unset, this one, or wasp-x64 beside it"),
  ),
  programArm64: v.pipe(
    v.optional(PathSchema),
    v.description("The executable for hosts of arm64; unset, this one, or wasp-arm64 beside it"),
  ),
  verbose: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Show what every host says, not only those that fail"),
  ),
};

type RemoteKnobs = v.InferOutput<v.ObjectSchema<typeof REMOTE_KNOBS, undefined>>;

/** On which hosts a command is run, and how. */
export interface RemoteConfig {
  readonly ssh: readonly string[];
  /** A file that names more of them. */
  readonly hostsFile: string | undefined;
  readonly parallel: number;
  readonly hostTimeoutSeconds: number;
  readonly connectTimeoutSeconds: number;
  readonly programs: { readonly x64?: string; readonly arm64?: string };
  readonly isVerbose: boolean;
}

/** The flags that the hosts are not told, by whether they have a value. */
export const LOCAL_FLAGS = {
  valued: Object.keys(REMOTE_KNOBS)
    .filter((knob) => knob !== "verbose")
    .map(flagName),
  switches: ["verbose"],
};

/** What was set of where and how to run a command; undefined for this host alone. */
export function remoteOf(knobs: RemoteKnobs): RemoteConfig | undefined {
  const { ssh, hosts, parallel, hostTimeout, connectTimeout, programX64, programArm64, verbose } = knobs;
  if (ssh.length === 0 && hosts === undefined) return undefined;
  return {
    ssh,
    hostsFile: hosts,
    parallel,
    hostTimeoutSeconds: hostTimeout,
    connectTimeoutSeconds: connectTimeout,
    programs: { ...(programX64 && { x64: programX64 }), ...(programArm64 && { arm64: programArm64 }) },
    isVerbose: verbose,
  };
}

/** The flags of where and how, of those given, that mean nothing without a host. */
export function flagsWithoutHost(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(REMOTE_KNOBS)
    .filter((knob) => knob in given)
    .map((knob) => `--${flagName(knob)}`);
}
