// Failure posture: a container is kept from starting only by its own pod's annotation, and is told which; whatever else
// is wrong, it starts. A mistake in the configuration ends the plugin before it is known to the runtime; one in a changed
// configuration leaves the one before in force.
import { readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandDef } from "citty";
import { consola } from "consola";
import type { Build } from "../agent/agent.ts";
import { IdleMemory } from "../agent/nri/idle-memory.ts";
import { NriReporter } from "../agent/nri/reporter.ts";
import { SpecLimits } from "../agent/nri/spec-limits.ts";
import { takeNriTurn } from "../agent/nri/turn.ts";
import { flagsOf } from "../config/flags.ts";
import { loadNriConfig, type NriConfig, NriFlagsSchema } from "../config/nri/knobs.ts";
import { type LoadedMemoryQos, NO_MEMORY_QOS, parseMemoryQos } from "../config/nri/memory-qos-file.ts";
import { formatNriConfig } from "../config/nri/print.ts";
import { watchConfigFile } from "../host/watch-config.ts";
import { levelOf } from "../log/levels.ts";
import { LineWriter } from "../log/line-writer.ts";
import { Logger } from "../log/logger.ts";
import { LimitHandlers } from "../nri/limit-handlers.ts";
import { type NriPlugin, type PluginEnd, startPlugin } from "../nri/plugin.ts";
import { EXIT_FAILURE, EXIT_SUCCESS, EXIT_USAGE } from "./exit-status.ts";
import { loadOrComplain } from "./load-or-complain.ts";
import { nextSignal } from "./next-signal.ts";

const STDOUT = 1;

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
async function runNri(argv: readonly string[], build: Build): Promise<number> {
  const config = loadOrComplain(() => loadNriConfig(argv, process.env));
  if (config === undefined) return EXIT_USAGE;
  const memoryQos = loadOrComplain(() => readMemoryQos(config));
  if (memoryQos === undefined) return EXIT_USAGE;
  try {
    if (config.printConfig) {
      writeSync(STDOUT, formatNriConfig(config, memoryQos.config));
      return EXIT_SUCCESS;
    }
    return exitStatusOf(await serve(config, build));
  } catch (error) {
    consola.error((error as Error).message);
    return EXIT_FAILURE;
  }
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

// A runtime that ends the connection is how a plugin that it has started ends.
function exitStatusOf(end: PluginEnd): number {
  return end.kind === "stopped" || end.kind === "disconnected" ? EXIT_SUCCESS : EXIT_FAILURE;
}

async function serve(config: NriConfig, build: Build): Promise<PluginEnd> {
  const { fsroot, swapLimit, configFile, name, index, socket } = config;
  const reporter = reporterOf(config);
  using memory = new IdleMemory();
  const tell: NriReporter["tell"] = (event, fields) => {
    memory.use();
    reporter.tell(event, fields);
  };
  const limits = new SpecLimits({ fsroot, swapLimit, tell });
  tell("nri-started", { ...build, pid: process.pid, name, index, socket: String(socket) });
  const handlers = new LimitHandlers({
    decide: limits.decide,
    decideAnew: limits.decide,
    isRefusing: () => config.isRefusing,
    configure: (text) => takeOfRuntime(config, limits, tell, text),
    missed: () => change(),
    tell,
  });
  let plugin: NriPlugin | undefined;
  const change = () => {
    if (plugin !== undefined) void refresh(handlers, plugin);
  };
  const reload = (text: string) => {
    if (takeOfFile(config, limits, tell, text)) change();
  };
  using _watch = configFile === undefined ? undefined : watchConfigFile(configFile, reload);
  // Once more, as it may have changed before it was watched.
  limits.take(readMemoryQos(config));
  const stopping = new AbortController();
  const told = nextSignal().then(() => stopping.abort());
  using turn = await takeNriTurn(fsroot, tell, stopping.signal);
  if (turn === undefined) return { kind: "stopped" };
  plugin = startPlugin({
    ...{ name, index, socket, handlers },
    isExitedOnDisconnect: config.isExitedOnDisconnect,
    report(event) {
      memory.use();
      reporter.connection(event);
    },
  });
  const end = await Promise.race([plugin.ended, told]);
  if (end !== undefined) return end;
  tell("nri-stopping", { containers: handlers.containers });
  await plugin.stop();
  return { kind: "stopped" };
}

// One that is about to start can only be changed once it has, and a runtime may be busy.
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

/** Takes what the runtime has for the plugin, unless there is a file; throws where it is wrong. */
function takeOfRuntime(
  { configFile }: NriConfig,
  limits: SpecLimits,
  tell: NriReporter["tell"],
  text: string,
): void {
  if (configFile === undefined) limits.take(parseMemoryQos("the runtime's configuration", text));
  else if (text !== "")
    tell("config-doubtful", { warning: `the runtime's configuration has no effect beside ${configFile}` });
}

/** Takes a changed file, and tells whether it could be. */
function takeOfFile(
  { configFile = "" }: NriConfig,
  limits: SpecLimits,
  tell: NriReporter["tell"],
  text: string,
): boolean {
  try {
    limits.take(parseMemoryQos(configFile, text));
    return true;
  } catch (error) {
    tell("config-refused", { error: (error as Error).message });
    return false;
  }
}
