import * as v from "valibot";
import { knob, optionalKnob, switchKnob } from "../knob.ts";
import { flagName } from "../knob-names.ts";
import { DurationSchema, wholeNumberSchema } from "../value-schemas.ts";

const PathSchema = v.pipe(v.string(), v.nonEmpty("is empty"));

/** Knobs of a command that can be run on other hosts over ssh. */
export const REMOTE_KNOBS = {
  ssh: knob(
    v.array(v.string()),
    [],
    "Run on this host over ssh, a user@host or a name in ssh's configuration; repeatable",
  ),
  hosts: optionalKnob(PathSchema, "Run on the hosts in this file, one per line, with # before a comment"),
  parallel: knob(wholeNumberSchema(1, 100), 5, "Number of hosts at a time"),
  hostTimeout: knob(DurationSchema, "15m", "Time limit of each host"),
  connectTimeout: knob(DurationSchema, "15s", "Time limit of the connection to each host"),
  programX64: optionalKnob(
    PathSchema,
    "Executable for x86-64 hosts; unset, this one, or wasp-x64 in its folder",
  ),
  programArm64: optionalKnob(
    PathSchema,
    "Executable for arm64 hosts; unset, this one, or wasp-arm64 in its folder",
  ),
  verbose: switchKnob("Show the output of every host, not only of those that fail"),
};

type RemoteKnobs = v.InferOutput<v.ObjectSchema<typeof REMOTE_KNOBS, undefined>>;

/** Hosts on which a command is run, and the parameters of that. */
export interface RemoteConfig {
  readonly ssh: readonly string[];
  /** File with more hosts. */
  readonly hostsFile: string | undefined;
  readonly parallel: number;
  readonly hostTimeoutSeconds: number;
  readonly connectTimeoutSeconds: number;
  readonly programs: { readonly x64?: string; readonly arm64?: string };
  readonly isVerbose: boolean;
}

/** Flags that are not passed on to the hosts: those with a value, and switches. */
export const LOCAL_FLAGS = {
  valued: Object.keys(REMOTE_KNOBS)
    .filter((knob) => knob !== "verbose")
    .map(flagName),
  switches: ["verbose"],
};

/** Returns the configuration for other hosts; undefined for this host. */
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

/** Returns the given flags that have no effect without --ssh and --hosts. */
export function flagsWithoutHost(given: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(REMOTE_KNOBS)
    .filter((knob) => knob in given)
    .map((knob) => `--${flagName(knob)}`);
}
