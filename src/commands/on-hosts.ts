import { readFileSync } from "node:fs";
import { consola } from "consola";
import { LOCAL_FLAGS, type RemoteConfig } from "../config/install/remote.ts";
import { withoutFlags } from "../install/remote/argv.ts";
import { findProgram } from "../install/remote/executables.ts";
import { parseHosts } from "../install/remote/hosts.ts";
import { areAllDone, formatOutcomes, summarize } from "../install/remote/report.ts";
import { runOnHosts } from "../install/remote/run-on-hosts.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { EXIT_FAILURE, EXIT_SUCCESS, EXIT_USAGE } from "./exit-status.ts";
import { loadOrComplain } from "./load-or-complain.ts";

type Command = "install" | "uninstall";

interface WhereConfig {
  readonly output: "text" | "json";
  readonly remote: RemoteConfig | undefined;
}

/**
 * Loads a command's configuration, runs it on this host or on those that its command line names, and tells the exit
 * status. Complains of what goes wrong.
 */
export async function runHereOrElsewhere<Config extends WhereConfig>(
  command: Command,
  argv: readonly string[],
  load: (argv: readonly string[]) => Config,
  runHere: (config: Config) => number,
): Promise<number> {
  const config = loadOrComplain(() => load(argv));
  if (config === undefined) return EXIT_USAGE;
  const { remote, output } = config;
  try {
    return remote === undefined ? runHere(config) : await runElsewhere(command, argv, { ...remote, output });
  } catch (error) {
    consola.error((error as Error).message);
    return EXIT_FAILURE;
  }
}

/**
 * Runs a command of wasp on other hosts, with the flags of its command line that are theirs, and tells the exit status.
 * Throws an Error where hosts are named wrongly, or ssh is not here.
 */
async function runElsewhere(
  command: Command,
  argv: readonly string[],
  config: RemoteConfig & { readonly output: "text" | "json" },
): Promise<number> {
  const isJson = config.output === "json";
  const out = terminalOf(process.stdout);
  const outcomes = await runOnHosts({
    hosts: parseHosts({ flags: config.ssh, file: fileAt(config.hostsFile) }),
    remoteArgv: [command, ...withoutFlags(argv, LOCAL_FLAGS)],
    programFor: (arch) =>
      findProgram(arch, {
        executable: process.execPath,
        executableArch: process.arch,
        given: config.programs,
      }),
    parallel: config.parallel,
    connectSeconds: config.connectTimeoutSeconds,
    timeoutSeconds: config.hostTimeoutSeconds,
    // A document for programs stands alone.
    terminal: isJson ? terminalOf(process.stderr) : out,
    shownOutput: isJson ? "none" : config.isVerbose ? "all" : "failed",
    stop: stopSignal(),
  });
  out.write(isJson ? formatOutcomes(outcomes) : summarize(outcomes));
  return areAllDone(outcomes) ? EXIT_SUCCESS : EXIT_FAILURE;
}

function fileAt(path: string | undefined): { path: string; text: string } | undefined {
  return path === undefined ? undefined : { path, text: readFileSync(path, "utf8") };
}

// The second one ends it as if nobody listened.
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => controller.abort());
  return controller.signal;
}
