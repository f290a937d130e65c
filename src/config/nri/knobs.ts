import * as v from "valibot";
import { SWAP_BEHAVIORS, type SwapLimitConfig } from "../../policy/limits/swap-limit.ts";
import { AgentConfigSchema } from "../agent/knobs.ts";
import type { Source } from "../agent/setting.ts";
import { readFlags } from "../flags.ts";
import { SWAP_LIMIT_KNOBS } from "../swap-limit.ts";
import {
  AbsolutePathSchema,
  choiceSchema,
  complaintOf,
  flagName,
  SwitchSchema,
  wholeNumberSchema,
} from "../value-schemas.ts";
import { NRI_INDEX, NRI_KNOBS, NRI_SOCKET } from "./shared.ts";

const { logFormat, verbosity, fsroot } = AgentConfigSchema.entries;
const { swapBehavior: _, ...SHARING_KNOBS } = SWAP_LIMIT_KNOBS;

const KNOBS = {
  config: v.pipe(
    v.optional(v.string()),
    v.description(
      "The classes and files that pods may ask for, in YAML; unset, what the runtime has for the plugin",
    ),
  ),
  printConfig: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Print every flag, and where it was set, and what is in the file; do nothing else"),
  ),
  name: v.pipe(
    v.optional(
      v.pipe(v.string(), v.regex(/^[A-Za-z0-9._+-]+$/, "is not a name of letters, digits, and . _ + -")),
      "memory-qos",
    ),
    v.description("The plugin's name; NRI_PLUGIN_NAME sets it too"),
  ),
  idx: v.pipe(
    v.optional(v.pipe(v.string(), v.regex(/^\d\d$/, "is not two digits, from 00 to 99")), NRI_INDEX),
    v.description("Its place among the runtime's plugins, two digits; NRI_PLUGIN_IDX sets it too"),
  ),
  socket: v.pipe(
    v.optional(AbsolutePathSchema, NRI_SOCKET),
    v.description("Where the runtime listens; NRI_PLUGIN_SOCKET names an open descriptor instead"),
  ),
  onError: NRI_KNOBS.memoryQosOnError,
  exitOnDisconnect: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("End when the connection to the runtime is lost, rather than connect again"),
  ),
  swapBehavior: v.pipe(
    v.optional(choiceSchema(SWAP_BEHAVIORS)),
    v.description("Swap for each container, as of wasp hook; unset, only annotations set any"),
  ),
  ...SHARING_KNOBS,
  ...{ logFormat, verbosity, fsroot },
};

/** Every flag of `wasp nri`. */
export const NriFlagsSchema = v.strictObject(KNOBS);

type NriFlag = keyof typeof KNOBS;

/** The configuration of `wasp nri`; its fsroot has no slash at the end. */
export interface NriConfig {
  readonly configFile: string | undefined;
  readonly printConfig: boolean;
  readonly name: string;
  /** Two digits. */
  readonly index: string;
  /** A path, or the file descriptor that the runtime left open. */
  readonly socket: string | number;
  /** An annotation that cannot be heeded keeps a container from starting. */
  readonly isRefusing: boolean;
  readonly isExitedOnDisconnect: boolean;
  /** Undefined where swap is left to annotations. */
  readonly swapLimit: SwapLimitConfig | undefined;
  readonly logFormat: "Json" | "Human";
  readonly verbosity: number;
  readonly fsroot: string;
  /** What each flag comes to, in words, and where it was set. */
  readonly flags: readonly { readonly flag: string; readonly value: string; readonly source: Source }[];
}

/**
 * Reads the flags of `wasp nri`, and below them what a runtime that starts a plugin says in its environment. Throws one
 * error that complains of all that is wrong, a line each.
 */
export function loadNriConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): NriConfig {
  const flags = readFlags(argv.map(inTwoDashes), NriFlagsSchema);
  const variables = Object.entries(VARIABLES).filter(([name, flag]) => isSet(env[name]) && !(flag in flags));
  const descriptor = "socket" in flags || !isSet(env[SOCKET]) ? undefined : env[SOCKET];
  const set = { ...Object.fromEntries(variables.map(([name, flag]) => [flag, env[name]])), ...flags };
  const places = new Map(variables.map(([name, flag]) => [flag, name]));
  const result = v.safeParse(NriFlagsSchema, set);
  const socket = descriptor === undefined ? undefined : v.safeParse(DescriptorSchema, descriptor);
  const complaints = (result.issues ?? []).map((issue) => {
    const flag = String(issue.path?.[0]?.key) as NriFlag;
    return `${places.get(flag) ?? `--${flagName(flag)}`}: ${complaintOf(issue)}`;
  });
  for (const issue of socket?.issues ?? []) complaints.push(`${SOCKET}: ${complaintOf(issue)}`);
  for (const flag of Object.keys(SHARING_KNOBS))
    if (flag in set && !("swapBehavior" in set))
      complaints.push(`--${flagName(flag)} is set without --swap-behavior: no swap is shared out then`);
  if (!result.success || complaints.length > 0) throw new Error(complaints.join("\n"));
  const { output } = result;
  const sources = new Map([...places].map(([flag, name]) => [flag, `environment ${name}`]));
  for (const flag of Object.keys(flags)) sources.set(flag as NriFlag, `flag --${flagName(flag)}`);
  if (socket !== undefined) sources.set("socket", `environment ${SOCKET}`);
  return configOf(output, (socket?.output as number | undefined) ?? output.socket, sources);
}

const SOCKET = "NRI_PLUGIN_SOCKET";

const VARIABLES: Readonly<Record<string, NriFlag>> = {
  NRI_PLUGIN_NAME: "name",
  NRI_PLUGIN_IDX: "idx",
  VERBOSITY: "verbosity",
  FSROOT: "fsroot",
};

const DescriptorSchema = wholeNumberSchema(0, 2 ** 20);
const FLAGS = new Set(Object.keys(KNOBS).map(flagName));
const DEBUG_VERBOSITY = 4;

// The original's flags are Go's, to which one dash and two are the same, and it has -v and -vv.
function inTwoDashes(argument: string): string {
  if (argument === "-v" || argument === "-vv") return `--verbosity=${DEBUG_VERBOSITY}`;
  const [, flag = ""] = /^-([a-z][a-z-]+)(?:=|$)/.exec(argument) ?? [];
  return FLAGS.has(flag) ? `-${argument}` : argument;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}

function configOf(
  knobs: v.InferOutput<typeof NriFlagsSchema>,
  socket: string | number,
  sources: ReadonlyMap<NriFlag, Source>,
): NriConfig {
  const { config, printConfig, name, idx, onError, exitOnDisconnect, swapBehavior } = knobs;
  const { workloads, podOverrides, excludeNamespaces, systemReservedSwapBytes } = knobs;
  const sharing = { workloads, podOverrides, excludeNamespaces, systemReservedSwapBytes };
  const shown: Partial<Record<NriFlag, unknown>> = { ...knobs, socket, fsroot: knobs.fsroot || "/" };
  const flags = (Object.keys(KNOBS) as NriFlag[])
    .filter((flag) => flag !== "printConfig")
    .map((flag) => ({
      flag: `--${flagName(flag)}`,
      value: shown[flag] === undefined ? "unset" : [shown[flag]].flat().join(" "),
      source: sources.get(flag) ?? "default",
    }));
  return Object.freeze({
    configFile: config,
    printConfig,
    name,
    index: idx,
    socket,
    isRefusing: onError === "Refuse",
    isExitedOnDisconnect: exitOnDisconnect,
    swapLimit: swapBehavior === undefined ? undefined : Object.freeze({ swapBehavior, ...sharing }),
    logFormat: knobs.logFormat,
    verbosity: knobs.verbosity,
    fsroot: knobs.fsroot,
    flags,
  });
}
