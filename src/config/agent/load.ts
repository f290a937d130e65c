import * as v from "valibot";
import { readFlags } from "../flags.ts";
import { complaintOf, flagName, pathOf } from "../value-schemas.ts";
import { type ConfigFile, parseConfigFile } from "./config-file.ts";
import {
  AGENT_KNOBS,
  type AgentConfig,
  AgentConfigSchema,
  AgentFlagsSchema,
  type AgentKnob,
  RUN_FLAGS,
  type RunOptions,
} from "./knobs.ts";
import type { Setting, Source } from "./setting.ts";
import { settingsOfWaspAgent, waspAgentVariablesIn } from "./wasp-agent-variables.ts";

/** What the configuration of `wasp agent` is read from. */
export interface ConfigInputs {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the configuration file as text, and throws where it cannot. */
  readonly readFile: (path: string) => string;
}

/** A configuration, and where each of its knobs was set. */
export interface SourcedConfig {
  readonly config: AgentConfig;
  readonly sources: Readonly<Record<AgentKnob, Source>>;
}

/** All that `wasp agent` learns from its command line, its environment and its file. */
export interface LoadedConfig extends SourcedConfig {
  readonly runOptions: RunOptions;
  /** Variables of wasp-agent that are set, and that nothing heeds, as nobody is to be evicted. */
  readonly unusedVariables: readonly string[];
}

/**
 * Reads the configuration of `wasp agent`: flags come before the environment, that before the file, and that before
 * the defaults. Throws one error that complains of all that is wrong, a line each.
 */
export function loadAgentConfig({ argv, env, readFile }: ConfigInputs): LoadedConfig {
  const flags = readFlags(argv, AgentFlagsSchema);
  const { config: configFile, ...rest } = v.parse(v.object(RUN_FLAGS), flags);
  const { config, sources } = layerConfig(flags, configFile, { env, readFile });
  const unusedVariables = config.evictionMode === "Off" ? waspAgentVariablesIn(setVariables(env)) : [];
  return Object.freeze({ config, sources, runOptions: { configFile, ...rest }, unusedVariables });
}

/** Reads the agent's configuration as loadAgentConfig does, from flags that are read already; others are left alone. */
export function layerConfig(
  flags: Readonly<Record<string, unknown>>,
  configFile: string | undefined,
  { env, readFile }: Omit<ConfigInputs, "argv">,
): SourcedConfig {
  const file = configFile === undefined ? NO_FILE : fileOf(configFile, readFile);
  const variables = setVariables(env);
  const waspAgent = settingsOfWaspAgent(variables);
  const settings = [
    ...file.settings,
    ...waspAgent.settings,
    ...settingsOfVariables(variables),
    ...settingsOfFlags(flags),
  ];
  return layer(settings, [...file.complaints, ...waspAgent.complaints]);
}

const NO_FILE: ConfigFile = { settings: [], complaints: [] };

const VARIABLES: Readonly<Record<string, AgentKnob>> = {
  NODE_NAME: "nodeName",
  KUBELET_HOST: "kubeletHost",
  FSROOT: "fsroot",
  VERBOSITY: "verbosity",
};

function fileOf(path: string, readFile: (path: string) => string): ConfigFile {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return { settings: [], complaints: [`--config: cannot read ${path}: ${(error as Error).message}`] };
  }
  return parseConfigFile(path, text);
}

// The manifest of a pod can give a variable no value, but not leave it out.
function setVariables(env: ConfigInputs["env"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]],
    ),
  );
}

function settingsOfVariables(variables: Readonly<Record<string, string>>): Setting[] {
  return Object.entries(VARIABLES)
    .filter(([name]) => name in variables)
    .map(([name, knob]) => ({ knob, value: variables[name], place: name, source: `environment ${name}` }));
}

function settingsOfFlags(flags: Readonly<Record<string, unknown>>): Setting[] {
  return AGENT_KNOBS.filter((knob) => knob in flags).map((knob) => {
    const flag = `--${flagName(knob)}`;
    return { knob, value: flags[knob], place: flag, source: `flag ${flag}` };
  });
}

/** Lays settings over the defaults, later ones over earlier ones. */
function layer(settings: readonly Setting[], complaintsSoFar: readonly string[]): SourcedConfig {
  const complaints = [...complaintsSoFar];
  const values: Partial<Record<AgentKnob, unknown>> = {};
  const sources = Object.fromEntries(AGENT_KNOBS.map((knob) => [knob, "default"])) as Record<
    AgentKnob,
    Source
  >;
  for (const { knob, value, place, source } of settings) {
    const { issues } = v.safeParse(AgentConfigSchema.entries[knob], value);
    for (const issue of issues ?? []) complaints.push(`${place}${pathOf(issue)}: ${complaintOf(issue)}`);
    values[knob] = value;
    sources[knob] = source;
  }
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  const config: AgentConfig = v.parse(AgentConfigSchema, values);
  const contradictions = contradictionsIn({ config, sources });
  if (contradictions.length > 0) throw new Error(contradictions.join("\n"));
  Object.freeze(config.excludeNamespaces);
  Object.freeze(config.evictionThresholds);
  return { config: Object.freeze(config), sources: Object.freeze(sources) };
}

/** Complains of knobs that cannot be what they are beside one another. */
function contradictionsIn({ config, sources }: SourcedConfig): string[] {
  const complaints: string[] = [];
  const named = (knob: AgentKnob) => `${knob} (${sources[knob]})`;
  if (config.podSource === "ApiServer" && config.nodeName === undefined) {
    complaints.push(
      `${named("podSource")} is ApiServer, which needs this node's name: set --node-name or NODE_NAME`,
    );
  }
  const trusts = (["kubeletCaFile", "kubeletServingCertificateFile", "kubeletInsecure"] as const).filter(
    (knob) => config[knob] !== undefined && config[knob] !== false,
  );
  if (trusts.length > 1) {
    complaints.push(
      `${trusts.map(named).join(" and ")} are set: only one of them can tell who is the kubelet`,
    );
  }
  const [given, lacking] =
    config.httpKeyFile === undefined
      ? (["httpCertificateFile", "httpKeyFile"] as const)
      : (["httpKeyFile", "httpCertificateFile"] as const);
  if (config[given] !== undefined && config[lacking] === undefined) {
    complaints.push(`${named(given)} is set without ${lacking}: TLS needs both`);
  }
  return complaints;
}
