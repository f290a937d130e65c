import * as v from "valibot";
import { complaintOf, pathOf } from "../complaint.ts";
import { readFlags } from "../flags.ts";
import { flagName } from "../knob-names.ts";
import { type ConfigFile, parseConfigFile } from "./config-file.ts";
import type { KnobSetting, KnobSource } from "./knob-setting.ts";
import {
  AGENT_KNOBS,
  type AgentConfig,
  AgentConfigSchema,
  AgentFlagsSchema,
  type AgentKnob,
  RUN_FLAGS,
  type RunOptions,
} from "./knobs.ts";
import { settingsOfWaspAgent, waspAgentVariablesIn } from "./wasp-agent-variables.ts";

/** Inputs of the configuration of `wasp agent`. */
export interface ConfigInputs {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the configuration file as text; throws an Error if that fails. */
  readonly readFile: (path: string) => string;
}

/** Configuration with the source of each knob. */
export interface SourcedConfig {
  readonly config: AgentConfig;
  readonly sources: Readonly<Record<AgentKnob, KnobSource>>;
  /** Values of the file and the defaults alone, which flags and the environment override. */
  readonly fileConfig: AgentConfig;
}

/** Configuration and options that `wasp agent` reads from command line, environment and file. */
export interface LoadedConfig extends SourcedConfig {
  readonly runOptions: RunOptions;
  /** Variables of wasp-agent that are set but have no effect, because eviction is off. */
  readonly unusedVariables: readonly string[];
}

/**
 * Reads the configuration of `wasp agent`: flags take precedence over the environment, the environment over the file,
 * and the file over the defaults. Throws one Error with a line for each complaint.
 */
export function loadAgentConfig({ argv, env, readFile }: ConfigInputs): LoadedConfig {
  const flags = readFlags(argv, AgentFlagsSchema);
  const { config: configFile, ...options } = v.parse(v.object(RUN_FLAGS), flags);
  const { config, ...rest } = layerConfig(flags, configFile, { env, readFile });
  const unusedVariables = config.evictionMode === "Off" ? waspAgentVariablesIn(setVariables(env)) : [];
  return Object.freeze({ config, ...rest, runOptions: { configFile, ...options }, unusedVariables });
}

/** Reads the agent's configuration as loadAgentConfig does, from parsed flags; flags of other commands are ignored. */
export function layerConfig(
  flags: Readonly<Record<string, unknown>>,
  configFile: string | undefined,
  { env, readFile }: Omit<ConfigInputs, "argv">,
): SourcedConfig {
  const file = configFile === undefined ? NO_FILE : fileOf(configFile, readFile);
  const variables = setVariables(env);
  const waspAgent = settingsOfWaspAgent(variables);
  const overrides = [...waspAgent.settings, ...settingsOfVariables(variables), ...settingsOfFlags(flags)];
  return layer(file.settings, overrides, [...file.complaints, ...waspAgent.complaints]);
}

const NO_FILE: ConfigFile = { settings: [], complaints: [] };

const KNOB_BY_VARIABLE: Readonly<Record<string, AgentKnob>> = {
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

// An empty variable counts as unset: the manifest of a pod cannot unset one.
function setVariables(env: ConfigInputs["env"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || value === "" ? [] : [[name, value]],
    ),
  );
}

function settingsOfVariables(variables: Readonly<Record<string, string>>): KnobSetting[] {
  return Object.entries(KNOB_BY_VARIABLE)
    .filter(([name]) => name in variables)
    .map(([name, knob]) => ({ knob, value: variables[name], place: name, source: `environment ${name}` }));
}

function settingsOfFlags(flags: Readonly<Record<string, unknown>>): KnobSetting[] {
  return AGENT_KNOBS.filter((knob) => knob in flags).map((knob) => {
    const flag = `--${flagName(knob)}`;
    return { knob, value: flags[knob], place: flag, source: `flag ${flag}` };
  });
}

/** Applies the file's settings to the defaults, and overrides to both, later ones over earlier ones. */
function layer(
  ofFile: readonly KnobSetting[],
  overrides: readonly KnobSetting[],
  complaintsSoFar: readonly string[],
): SourcedConfig {
  const complaints = [...complaintsSoFar];
  const values: Partial<Record<AgentKnob, unknown>> = {};
  const sources = Object.fromEntries(AGENT_KNOBS.map((knob) => [knob, "default"])) as Record<
    AgentKnob,
    KnobSource
  >;
  for (const { knob, value, place, source } of [...ofFile, ...overrides]) {
    const { issues } = v.safeParse(AgentConfigSchema.entries[knob], value);
    for (const issue of issues ?? []) complaints.push(`${place}${pathOf(issue)}: ${complaintOf(issue)}`);
    values[knob] = value;
    sources[knob] = source;
  }
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  const config: AgentConfig = v.parse(AgentConfigSchema, values);
  const contradictions = contradictionsIn(config, sources);
  if (contradictions.length > 0) throw new Error(contradictions.join("\n"));
  Object.freeze(config.excludeNamespaces);
  Object.freeze(config.evictionOptOutNamespaces);
  Object.freeze(config.evictionThresholds);
  const fileValues = Object.fromEntries(ofFile.map(({ knob, value }) => [knob, value]));
  const fileConfig: AgentConfig = v.parse(AgentConfigSchema, fileValues);
  return {
    config: Object.freeze(config),
    sources: Object.freeze(sources),
    fileConfig: Object.freeze(fileConfig),
  };
}

/** Returns complaints about knobs that contradict one another. */
function contradictionsIn(config: AgentConfig, sources: SourcedConfig["sources"]): string[] {
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
    complaints.push(`${trusts.map(named).join(" and ")} are set: only one of them can identify the kubelet`);
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
