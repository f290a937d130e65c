// Failure posture: the agent holds on missing data and never acts on a guess. An invalid configuration ends it before it
// writes anything; a changed configuration that is invalid leaves the previous one in force.
import { readFileSync } from "node:fs";
import type { CommandDef } from "citty";
import { consola } from "consola";
import { Agent } from "../agent/agent.ts";
import type { Build } from "../agent/build.ts";
import { containerRows, runOnce } from "../agent/once.ts";
import { AgentFlagsSchema } from "../config/agent/knobs.ts";
import { type LoadedConfig, loadAgentConfig } from "../config/agent/load.ts";
import { formatConfig } from "../config/agent/print.ts";
import { flagsOf } from "../config/flags.ts";
import { takeNodeLock } from "../host/lock.ts";
import { watchConfigFile } from "../host/watch-config.ts";
import { printable } from "../terminal/printable.ts";
import { formatTable } from "../terminal/table.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { nextSignal } from "./next-signal.ts";
import { print } from "./print.ts";
import { runCommand } from "./run-command.ts";

/** The command `wasp agent`. */
export const agentCommand = (build: Build): CommandDef => ({
  meta: {
    name: "agent",
    description: "Keep the swap limits of all containers of a node exact (a DaemonSet, or a unit of systemd)",
  },
  args: () => flagsOf(AgentFlagsSchema),
  run: ({ rawArgs }) => runAgent(rawArgs, build),
});

/** Runs the agent until a signal ends it; returns the exit status. */
async function runAgent(argv: readonly string[], build: Build): Promise<number> {
  const load = (readFile: (path: string) => string) => loadAgentConfig({ argv, env: process.env, readFile });
  return await runCommand(
    () => load((path) => readFileSync(path, "utf8")),
    (loaded) => {
      const { printConfig, once } = loaded.runOptions;
      if (printConfig) return print(formatConfig(loaded));
      return once ? passOnce(loaded) : serve(loaded, load, build);
    },
  );
}

type Load = (readFile: (path: string) => string) => LoadedConfig;

async function passOnce({ config }: LoadedConfig): Promise<number> {
  // A dry run does not conflict with a running agent.
  using _lock = config.dryRun ? undefined : takeLock(config.fsroot);
  const { containers, problems } = await runOnce(config, process.env);
  for (const problem of problems) consola.warn(printable(problem));
  print(
    config.logFormat === "Json"
      ? containers.map(toJson).join("")
      : `${formatTable(containerRows(containers)).join("\n")}\n`,
  );
  return containers.some(({ state }) => state === "failed") ? EXIT_FAILURE : EXIT_SUCCESS;
}

// JSON has no Infinity.
function toJson(container: object): string {
  const text = JSON.stringify(container, (_, value) => (value === Number.POSITIVE_INFINITY ? "max" : value));
  return `${text}\n`;
}

async function serve(loaded: LoadedConfig, load: Load, build: Build): Promise<number> {
  using _lock = takeLock(loaded.config.fsroot);
  const ended = nextSignal();
  await using agent = new Agent(loaded, process.env, build);
  const { configFile } = loaded.runOptions;
  using _watch =
    configFile === undefined ? undefined : watchConfigFile(configFile, (text) => reload(agent, load, text));
  agent.start();
  await ended;
  return EXIT_SUCCESS;
}

function reload(agent: Agent, load: Load, text: string): void {
  let loaded: LoadedConfig;
  try {
    loaded = load(() => text);
  } catch (error) {
    agent.refuseReload(error as Error);
    return;
  }
  agent.reload(loaded);
}

function takeLock(fsroot: string): Disposable {
  const lock = takeNodeLock(fsroot);
  if (lock !== undefined) return lock;
  throw new Error(`another wasp agent runs on this node and holds the lock of ${fsroot}/sys/fs/cgroup`);
}
