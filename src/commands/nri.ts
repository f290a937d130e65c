// Failure posture: a container is kept from starting only by its own pod's annotation, and is told which; whatever else
// is wrong, it starts. A mistake in the configuration ends the plugin before it is known to the runtime; one in a changed
// configuration leaves the one before in force.
import { readFileSync, writeSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import { LineWriter } from "../agent/line-writer.ts";
import { Logger } from "../agent/logger.ts";
import type { Build } from "../agent/service.ts";
import { SpecLimits } from "../agent/spec-limits.ts";
import { flagsOf } from "../config/flags.ts";
import { type LoadedMemoryQos, NO_MEMORY_QOS, parseMemoryQos } from "../config/memory-qos.ts";
import { loadNriConfig, type NriConfig, NriFlagsSchema } from "../config/nri.ts";
import { formatNriConfig } from "../config/print-nri.ts";
import { watchConfigFile } from "../host/watch-config.ts";
import { LimitHandlers } from "../nri/limit-handlers.ts";
import { type PluginEnd, startPlugin } from "../nri/plugin.ts";
import { EXIT_FAILURE, EXIT_USAGE, loadOrComplain } from "./load-or-complain.ts";
import { nextSignal } from "./next-signal.ts";
import { NriReporter } from "./nri-report.ts";

const STDOUT = 1;

/** `wasp nri` as the usage screens show it. */
export const nriCommand: CommandDef = {
  meta: {
    name: "nri",
    description:
      "Give containers the memory QoS that their pods ask for, and swap (a plugin of containerd or CRI-O)",
  },
  args: () => flagsOf(NriFlagsSchema),
};

/** Runs `wasp nri` with the flags of its command line until it is told to end, and tells the exit status. */
export async function runNri(argv: readonly string[], build: Build): Promise<number> {
  const config = loadOrComplain(() => loadNriConfig(argv, process.env));
  if (config === undefined) return EXIT_USAGE;
  const memoryQos = loadOrComplain(() => readMemoryQos(config));
  if (memoryQos === undefined) return EXIT_USAGE;
  try {
    if (config.printConfig) {
      writeSync(STDOUT, formatNriConfig(config, memoryQos.config));
      return 0;
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
  return end.kind === "stopped" || end.kind === "disconnected" ? 0 : EXIT_FAILURE;
}

async function serve(config: NriConfig, build: Build): Promise<PluginEnd> {
  const { logFormat, verbosity, fsroot, swapLimit, configFile, name, index, socket } = config;
  const log = new LineWriter();
  const reporter = new NriReporter(
    new Logger({ format: logFormat, verbosity, write: (line) => log.write(line) }),
  );
  const { tell } = reporter;
  const limits = new SpecLimits({ fsroot, swapLimit, tell });
  tell("nri-started", { ...build, pid: process.pid, name, index, socket: String(socket) });
  const handlers = new LimitHandlers({
    decide: limits.decide,
    isRefusing: config.isRefusing,
    configure: (text) => {
      if (configFile === undefined) limits.take(parseMemoryQos("the runtime's configuration", text));
    },
    tell,
  });
  const reload = (text: string) => {
    if (!takeChanged(config, limits, tell, text)) return;
    void handlers.refresh((updates) => plugin.updateContainers(updates));
  };
  using _watch = configFile === undefined ? undefined : watchConfigFile(configFile, reload);
  // Once more, as it may have changed before it was watched.
  limits.take(readMemoryQos(config));
  const told = nextSignal();
  const plugin = startPlugin({
    ...{ name, index, socket, handlers },
    isExitedOnDisconnect: config.isExitedOnDisconnect,
    report: reporter.connection,
  });
  const end = await Promise.race([plugin.ended, told]);
  if (end !== undefined) return end;
  tell("nri-stopping", { containers: handlers.containers });
  await plugin.stop();
  return { kind: "stopped" };
}

/** Takes a changed file over, and tells whether it could be. */
function takeChanged(
  { configFile = "" }: NriConfig,
  limits: SpecLimits,
  tell: NriReporter["tell"],
  text: string,
): boolean {
  try {
    const loaded = parseMemoryQos(configFile, text);
    limits.take(loaded);
    const { classes, unifiedAnnotations } = loaded.config;
    tell("config-reloaded", {
      classes: classes.map(({ name, swapLimitRatio }) => `${name}=${swapLimitRatio}`).join(" "),
      unifiedAnnotations: unifiedAnnotations.join(" "),
    });
    return true;
  } catch (error) {
    tell("config-refused", { error: (error as Error).message });
    return false;
  }
}
