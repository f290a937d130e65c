import * as v from "valibot";
import { DEBUG_VERBOSITY } from "../../log/logger.ts";
import { SWAP_BEHAVIORS, type SwapLimitConfig } from "../../policy/limits/swap-limit.ts";
import type { KnobSource } from "../agent/knob-setting.ts";
import { AgentConfigSchema } from "../agent/knobs.ts";
import { complaintOf } from "../complaint.ts";
import { readFlags } from "../flags.ts";
import { knob, optionalKnob, switchKnob } from "../knob.ts";
import { flagName } from "../knob-names.ts";
import { SWAP_LIMIT_KNOBS } from "../swap-limit-knobs.ts";
import {
  AbsolutePathSchema,
  choiceSchema,
  LimitSchema,
  textSchema,
  wholeNumberSchema,
} from "../value-schemas.ts";
import { NRI_INDEX, NRI_KNOBS, NRI_SOCKET } from "./plugin-knobs.ts";

const { logFormat, verbosity, fsroot } = AgentConfigSchema.entries;
const { swapBehavior: _, ...SHARE_KNOBS } = SWAP_LIMIT_KNOBS;

const NRI_FLAG_KNOBS = {
  config: optionalKnob(
    v.string(),
    "Classes and cgroup files that pods may request, in YAML; unset, the runtime's configuration of the plugin",
  ),
  printConfig: switchKnob("Print every flag with its source and the file's content, and exit"),
  name: knob(
    textSchema(/^[A-Za-z0-9._+-]+$/, "is not a name of letters, digits, and . _ + -"),
    "memory-qos",
    "Name of the plugin; NRI_PLUGIN_NAME sets it too",
  ),
  idx: knob(
    textSchema(/^\d\d$/, "is not two digits, from 00 to 99"),
    NRI_INDEX,
    "Index among the runtime's plugins, two digits; NRI_PLUGIN_IDX sets it too",
  ),
  socket: knob(
    AbsolutePathSchema,
    NRI_SOCKET,
    "Socket on which the runtime listens; NRI_PLUGIN_SOCKET sets an open file descriptor instead",
  ),
  onError: NRI_KNOBS.memoryQosOnError,
  exitOnDisconnect: switchKnob("Exit if the connection to the runtime is lost, instead of reconnecting"),
  swapBehavior: optionalKnob(
    choiceSchema(SWAP_BEHAVIORS),
    "Swap limit of each container, as in wasp hook; unset, only annotations set one",
  ),
  ...SHARE_KNOBS,
  nodeSwapLimitBytes: optionalKnob(
    LimitSchema,
    "Most swap of each container, in addition to all other limits; a quantity or max",
  ),
  ...{ logFormat, verbosity, fsroot },
};

/** Flags of `wasp nri`. */
export const NriFlagsSchema = v.strictObject(NRI_FLAG_KNOBS);

type NriKnobs = v.InferOutput<typeof NriFlagsSchema>;
type NriFlag = keyof NriKnobs;
type SharedKnob = "printConfig" | "name" | "logFormat" | "verbosity" | "fsroot";

/** Configuration of `wasp nri`; its fsroot has no slash at the end. */
export interface NriConfig extends Readonly<Pick<NriKnobs, SharedKnob>> {
  readonly configFile: string | undefined;
  /** Two digits. */
  readonly index: string;
  /** Path, or file descriptor that the runtime left open. */
  readonly socket: string | number;
  /** True if an invalid annotation keeps a container from starting. */
  readonly isRefusing: boolean;
  readonly isExitedOnDisconnect: boolean;
  /** Undefined if only annotations set swap limits. */
  readonly swapLimit: SwapLimitConfig | undefined;
  /** Swap limit of all pods together, in bytes; undefined for none. */
  readonly nodeSwapLimitBytes: number | undefined;
  /** Value and source of each flag, as text. */
  readonly flags: readonly { readonly flag: string; readonly value: string; readonly source: KnobSource }[];
}

/**
 * Reads the configuration of `wasp nri`: flags take precedence over the environment, which a runtime sets for the
 * plugins that it starts. Throws one Error with a line for each complaint.
 */
export function loadNriConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): NriConfig {
  const flags = readFlags(argv.map(withTwoDashes), NriFlagsSchema);
  const variables = Object.entries(FLAG_BY_VARIABLE).filter(
    ([name, flag]) => isSet(env[name]) && !(flag in flags),
  );
  const descriptor = "socket" in flags || !isSet(env[SOCKET_VARIABLE]) ? undefined : env[SOCKET_VARIABLE];
  const set = { ...Object.fromEntries(variables.map(([name, flag]) => [flag, env[name]])), ...flags };
  const places = new Map(variables.map(([name, flag]) => [flag, name]));
  const result = v.safeParse(NriFlagsSchema, set);
  const socket = descriptor === undefined ? undefined : v.safeParse(DescriptorSchema, descriptor);
  const complaints = (result.issues ?? []).map((issue) => {
    const flag = String(issue.path?.[0]?.key) as NriFlag;
    return `${places.get(flag) ?? `--${flagName(flag)}`}: ${complaintOf(issue)}`;
  });
  for (const issue of socket?.issues ?? []) complaints.push(`${SOCKET_VARIABLE}: ${complaintOf(issue)}`);
  for (const flag of Object.keys(SHARE_KNOBS))
    if (flag in set && !("swapBehavior" in set))
      complaints.push(`--${flagName(flag)} is only valid with --swap-behavior`);
  if (!result.success || complaints.length > 0) throw new Error(complaints.join("\n"));
  const { output } = result;
  const sources = new Map([...places].map(([flag, name]) => [flag, `environment ${name}`]));
  for (const flag of Object.keys(flags)) sources.set(flag as NriFlag, `flag --${flagName(flag)}`);
  if (socket !== undefined) sources.set("socket", `environment ${SOCKET_VARIABLE}`);
  return configOf(output, (socket?.output as number | undefined) ?? output.socket, sources);
}

const SOCKET_VARIABLE = "NRI_PLUGIN_SOCKET";

const FLAG_BY_VARIABLE: Readonly<Record<string, NriFlag>> = {
  NRI_PLUGIN_NAME: "name",
  NRI_PLUGIN_IDX: "idx",
  VERBOSITY: "verbosity",
  FSROOT: "fsroot",
};

const DescriptorSchema = wholeNumberSchema(0, 2 ** 20);
const FLAGS = new Set(Object.keys(NRI_FLAG_KNOBS).map(flagName));

// Accepts the command line of the original plugin: Go flags with one dash or two, and -v and -vv.
function withTwoDashes(argument: string): string {
  if (argument === "-v" || argument === "-vv") return `--verbosity=${DEBUG_VERBOSITY}`;
  const [, flag = ""] = /^-([a-z][a-z-]+)(?:=|$)/.exec(argument) ?? [];
  return FLAGS.has(flag) ? `-${argument}` : argument;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

function configOf(
  knobs: NriKnobs,
  socket: string | number,
  sources: ReadonlyMap<NriFlag, KnobSource>,
): NriConfig {
  const { config, idx, socket: _, onError, exitOnDisconnect, swapBehavior, ...rest } = knobs;
  const {
    workloads,
    podOverrides,
    excludeNamespaces,
    systemReservedSwapBytes,
    nodeSwapLimitBytes,
    ...shared
  } = rest;
  const sharing = { workloads, podOverrides, excludeNamespaces, systemReservedSwapBytes };
  const shown: Partial<Record<NriFlag, unknown>> = { ...knobs, socket, fsroot: knobs.fsroot || "/" };
  const flags = (Object.keys(NRI_FLAG_KNOBS) as NriFlag[])
    .filter((flag) => flag !== "printConfig")
    .map((flag) => ({
      flag: `--${flagName(flag)}`,
      value: shown[flag] === undefined ? "unset" : [shown[flag]].flat().join(" "),
      source: sources.get(flag) ?? "default",
    }));
  return Object.freeze({
    ...shared,
    configFile: config,
    index: idx,
    socket,
    isRefusing: onError === "Refuse",
    isExitedOnDisconnect: exitOnDisconnect,
    nodeSwapLimitBytes,
    swapLimit: swapBehavior === undefined ? undefined : Object.freeze({ swapBehavior, ...sharing }),
    flags,
  });
}
