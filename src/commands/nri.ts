// Failure posture: a container is kept from starting only by an invalid annotation of its own pod, which the error names;
// after any other error it starts. An invalid configuration ends the plugin before it registers with the runtime; a
// changed configuration that is invalid leaves the previous one in force.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandDef } from "citty";
import type { Build } from "../agent/build.ts";
import { IdleMemory } from "../agent/nri/idle-memory.ts";
import { waitForPluginLock } from "../agent/nri/plugin-lock.ts";
import { NriReporter } from "../agent/nri/reporter.ts";
import { SpecLimits } from "../agent/nri/spec-limits.ts";
import { flagsOf } from "../config/flags.ts";
import { loadNriConfig, type NriConfig, NriFlagsSchema } from "../config/nri/knobs.ts";
import { type LoadedMemoryQos, NO_MEMORY_QOS, parseMemoryQos } from "../config/nri/memory-qos-file.ts";
import { formatNriConfig } from "../config/nri/print.ts";
import { watchConfigFile } from "../host/watch-config.ts";
import { type LogEvent, levelOf } from "../log/events.ts";
import { LineWriter } from "../log/line-writer.ts";
import { Logger } from "../log/logger.ts";
import { LimitHandlers } from "../nri/limit-handlers.ts";
import { NriPlugin, type PluginEnd } from "../nri/plugin.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { nextSignal } from "./next-signal.ts";
import { print } from "./print.ts";
import { runCommand } from "./run-command.ts";

/** The command `wasp nri`. */
export const nriCommand = (build: Build): CommandDef => ({
  meta: {
    name: "nri",
    description:
      "Give containers the memory QoS that their pods ask for, and swap (a plugin of containerd or CRI-O)",
  },
  args: () => flagsOf(NriFlagsSchema),
  run: ({ rawArgs }) => runNri(rawArgs, build),
});

/** Runs the plugin until a signal or the runtime ends it; returns the exit status. */
function runNri(argv: readonly string[], build: Build): Promise<number> {
  const load = () => {
    const config = loadNriConfig(argv, process.env);
    return { config, memoryQos: readMemoryQos(config) };
  };
  return runCommand(load, async ({ config, memoryQos }) => {
    if (config.printConfig) return print(formatNriConfig(config, memoryQos.config));
    return exitStatusOf(await serve(config, build));
  });
}

function readMemoryQos({ configFile }: NriConfig): LoadedMemoryQos {
  if (configFile === undefined) return NO_MEMORY_QOS;
  let text: string;
  try {
    text = readFileSync(configFile, "utf8");
  } catch (error) {
    throw new Error(`--config: cannot read ${configFile}: ${(error as Error).message}`);
  }
  return parseMemoryQos(configFile, text);
}

// The end of the connection is the regular end of a plugin that the runtime started.
function exitStatusOf(end: PluginEnd): number {
  return end.kind === "stopped" || end.kind === "disconnected" ? EXIT_SUCCESS : EXIT_FAILURE;
}

async function serve(config: NriConfig, build: Build): Promise<PluginEnd> {
  const { fsroot, swapLimit, nodeSwapLimitBytes, configFile, name, index, socket } = config;
  const reporter = reporterOf(config);
  using memory = new IdleMemory();
  const log: LogEvent = (event, fields) => {
    memory.use();
    reporter.log(event, fields);
  };
  const limits = new SpecLimits({ fsroot, swapLimit, nodeSwapLimitBytes, log });
  log("nri-started", { ...build, pid: process.pid, name, index, socket: String(socket) });
  const handlers = new LimitHandlers({
    decide: limits.decide,
    decideUpdate: limits.decide,
    isRefusing: () => config.isRefusing,
    configure: (text) => configureByRuntime(config, limits, log, text),
    onMissed: () => change(),
    log,
  });
  let plugin: NriPlugin | undefined;
  const change = () => {
    if (plugin !== undefined) void refresh(handlers, plugin);
  };
  const reload = (text: string) => {
    if (configureByFile(config, limits, log, text)) change();
  };
  using _watch = configFile === undefined ? undefined : watchConfigFile(configFile, reload);
  // Read again, because the file may have changed before it was watched.
  limits.setMemoryQos(readMemoryQos(config));
  const stopping = new AbortController();
  const stopped = nextSignal().then(() => stopping.abort());
  using lock = await waitForPluginLock(fsroot, log, stopping.signal);
  if (lock === undefined) return { kind: "stopped" };
  plugin = new NriPlugin({
    ...{ name, index, socket, handlers },
    isExitedOnDisconnect: config.isExitedOnDisconnect,
    report(event) {
      memory.use();
      reporter.logConnection(event);
    },
  });
  const end = await Promise.race([plugin.ended, stopped]);
  if (end !== undefined) return end;
  log("nri-stopping", { containers: handlers.containers });
  await plugin.stop();
  return { kind: "stopped" };
}

// A container can only be updated once it has started, and a runtime may be busy.
const RETRY_MILLISECONDS = [1000, 10_000, 60_000];

async function refresh(handlers: LimitHandlers, plugin: NriPlugin): Promise<void> {
  for (const milliseconds of [0, ...RETRY_MILLISECONDS]) {
    await sleep(milliseconds, undefined, { ref: false });
    if (await handlers.refresh((updates) => plugin.updateContainers(updates))) return;
  }
}

function reporterOf({ logFormat, verbosity }: NriConfig): NriReporter {
  const log = new LineWriter();
  const logger = new Logger({ format: logFormat, verbosity, write: (line) => log.write(line) });
  return new NriReporter((event, fields) => logger.event(levelOf(event), event, fields));
}

/** Applies the runtime's configuration of the plugin, unless there is a file; throws an Error if it is invalid. */
function configureByRuntime(
  { configFile }: NriConfig,
  limits: SpecLimits,
  log: LogEvent,
  text: string,
): void {
  if (configFile === undefined) limits.setMemoryQos(parseMemoryQos("the runtime's configuration", text));
  else if (text !== "")
    log("config-doubtful", { warning: `the runtime's configuration has no effect beside ${configFile}` });
}

/** Applies a changed file; returns false if it is invalid. */
function configureByFile(
  { configFile = "" }: NriConfig,
  limits: SpecLimits,
  log: LogEvent,
  text: string,
): boolean {
  try {
    limits.setMemoryQos(parseMemoryQos(configFile, text));
    return true;
  } catch (error) {
    log("config-refused", { error: (error as Error).message });
    return false;
  }
}
