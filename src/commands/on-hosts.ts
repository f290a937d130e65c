import { readFileSync } from "node:fs";
import { LOCAL_FLAGS, type RemoteConfig } from "../config/install/remote-knobs.ts";
import { withoutFlags } from "../install/remote/argv.ts";
import { findExecutable } from "../install/remote/executables.ts";
import { parseHosts } from "../install/remote/hosts.ts";
import { areAllDone, formatOutcomes, summarize } from "../install/remote/report.ts";
import { runOnHosts } from "../install/remote/run-on-hosts.ts";
import { terminalOf } from "../terminal/terminal.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";
import { abortAt } from "./next-signal.ts";
import { runCommand } from "./run-command.ts";

type Command = "install" | "uninstall";

interface HostsConfig {
  readonly output: "text" | "json";
  readonly remote: RemoteConfig | undefined;
}

/**
 * Loads the configuration of a command, runs it on this host or on the hosts that its command line names, and returns the
 * exit status. Prints errors.
 */
export function runLocallyOrRemotely<Config extends HostsConfig>(
  command: Command,
  argv: readonly string[],
  load: (argv: readonly string[]) => Config,
  runLocally: (config: Config) => number,
): Promise<number> {
  return runCommand(
    () => load(argv),
    (config) => {
      const { remote, output } = config;
      return remote === undefined ? runLocally(config) : runRemotely(command, argv, { ...remote, output });
    },
  );
}

/**
 * Runs a command of wasp on other hosts, with the flags of its command line that apply to them, and returns the exit
 * status. Throws an Error if a host is invalid or ssh is not installed.
 */
async function runRemotely(
  command: Command,
  argv: readonly string[],
  config: RemoteConfig & { readonly output: "text" | "json" },
): Promise<number> {
  const isJson = config.output === "json";
  const out = terminalOf(process.stdout);
  const outcomes = await runOnHosts({
    hosts: parseHosts({ flags: config.ssh, file: fileAt(config.hostsFile) }),
    remoteArgv: [command, ...withoutFlags(argv, LOCAL_FLAGS)],
    executableFor: (arch) =>
      findExecutable(arch, {
        executable: process.execPath,
        executableArch: process.arch,
        given: config.programs,
      }),
    parallel: config.parallel,
    connectSeconds: config.connectTimeoutSeconds,
    timeoutSeconds: config.hostTimeoutSeconds,
    // Standard output holds nothing but the JSON document.
    terminal: isJson ? terminalOf(process.stderr) : out,
    shownOutput: isJson ? "none" : config.isVerbose ? "all" : "failed",
    stop: abortAt("SIGINT", "SIGTERM", "SIGHUP"),
  });
  out.write(isJson ? formatOutcomes(outcomes) : summarize(outcomes));
  return areAllDone(outcomes) ? EXIT_SUCCESS : EXIT_FAILURE;
}

function fileAt(path: string | undefined): { path: string; text: string } | undefined {
  return path === undefined ? undefined : { path, text: readFileSync(path, "utf8") };
}
