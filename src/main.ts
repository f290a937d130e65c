import type { CommandContext, CommandDef } from "citty";
import { hookCommand, runHook } from "./commands/hook.ts";

const BUILD = { version: `${process.env["WASP_VERSION"]}`, commit: `${process.env["WASP_COMMIT"]}` };

const VERSION = `${BUILD.version} (${BUILD.commit})`;

// Each but the hook is loaded only when it runs or is shown.
const COMMANDS = {
  hook: hookCommand,
  agent: async () => (await import("./commands/agent.ts")).agentCommand(BUILD),
  install: async () => (await import("./commands/install.ts")).installCommand,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstallCommand,
  nri: async () => (await import("./commands/nri.ts")).nriCommand(BUILD),
  trace: async () => (await import("./commands/trace.ts")).traceCommand(BUILD),
};

const ROOT = {
  meta: { name: "wasp", version: VERSION, description: "Swap for Kubernetes workloads, granted exactly" },
  args: {
    help: { type: "boolean", description: "Show what a command does and its flags" },
    version: { type: "boolean", description: "Show version and commit" },
  },
  subCommands: COMMANDS,
} as const satisfies CommandDef;

/** Runs a command line, or shows its help; returns the exit status. */
async function main(argv: readonly string[]): Promise<number> {
  const asksForHelp = argv.includes("--help") || argv.includes("-h");
  // Each container's start waits for the hook: it is loaded with this file and skips the search, a tenth of its own time.
  if (argv[0] === "hook" && !asksForHelp) return await runHook(argv.slice(1)).catch(failOpen);
  if (argv[0] === "--version") return await print(`wasp ${VERSION}`);
  const { command, words, rest } = await find(argv);
  const [next] = rest;
  if (command.run !== undefined && !asksForHelp) return await command.run(contextOf(command, rest));
  const isHelp = asksForHelp && (words.length > 0 || next?.startsWith("-"));
  const isUnknown = command.run === undefined && next !== undefined && !isHelp;
  return isUnknown ? await refuse(next, command, words) : print(await usageOf(command, words));
}

// Commands parse their flags themselves: citty accepts unknown ones.
function contextOf(cmd: CommandDef, rawArgs: string[]): CommandContext {
  return { cmd, rawArgs, args: {} as CommandContext["args"] };
}

/** A command, the words of the command line that name it, and the rest of the command line. */
interface FoundCommand {
  readonly command: CommandDef;
  readonly words: readonly string[];
  readonly rest: string[];
}

async function find(argv: readonly string[]): Promise<FoundCommand> {
  // A container runtime starts the files in its folder of plugins without arguments, under any name.
  const isPlugin = argv.length === 0 && process.env["NRI_PLUGIN_SOCKET"] !== undefined;
  const words: string[] = [];
  let command: CommandDef = ROOT;
  for (const word of isPlugin ? ["nri"] : argv) {
    const commands = await commandsOf(command);
    if (!Object.hasOwn(commands, word)) break;
    command = await resolved(commands[word] ?? {});
    words.push(word);
  }
  return { command, words, rest: argv.slice(words.length) };
}

async function commandsOf({ subCommands = {} }: CommandDef): Promise<Commands> {
  return await resolved(subCommands);
}

type Commands = Readonly<Record<string, Resolvable<CommandDef>>>;
type Resolvable<T> = T | Promise<T> | (() => T) | (() => Promise<T>);

async function resolved<T extends object>(value: Resolvable<T>): Promise<T> {
  return typeof value === "function" ? await value() : await value;
}

// The hook fails open even where its system calls fail: they need the JIT, which a host may forbid.
async function failOpen(error: Error): Promise<number> {
  return (await import("./commands/hook-not-loaded.ts")).reportNotLoaded(error);
}

async function usageOf(command: CommandDef, words: readonly string[]): Promise<string> {
  const { renderUsage } = await import("citty");
  if (words.length === 0) return await renderUsage(command);
  const parent = ["wasp", ...words.slice(0, -1)].join(" ");
  return await renderUsage(command, { meta: { ...ROOT.meta, name: parent } });
}

async function refuse(word: string, command: CommandDef, words: readonly string[]): Promise<number> {
  const [{ consola }, { EXIT_USAGE }] = await Promise.all([
    import("consola"),
    import("./commands/exit-status.ts"),
  ]);
  const kind = word.startsWith("-") ? "flag" : "command";
  const known = Object.keys(await commandsOf(command)).join(", ");
  const help = ["wasp", ...words, "--help"].join(" ");
  consola.error(`unknown ${kind} ${[...words, word].join(" ")}: the commands are ${known}; see ${help}`);
  return EXIT_USAGE;
}

async function print(text: string): Promise<number> {
  console.log(process.stdout.isTTY ? text : Bun.stripANSI(text));
  return (await import("./commands/exit-status.ts")).EXIT_SUCCESS;
}

process.exit(await main(process.argv.slice(2)));
