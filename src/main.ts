const COMMANDS = {
  hook: async () => (await import("./commands/hook.ts")).hookCommand,
  agent: async () => (await import("./commands/agent.ts")).agentCommand,
  install: async () => (await import("./commands/install.ts")).installCommand,
  uninstall: async () => (await import("./commands/uninstall.ts")).uninstallCommand,
  nri: async () => (await import("./commands/nri.ts")).nriCommand,
  trace: async () => (await import("./commands/trace.ts")).traceCommand,
};

const EXIT_USAGE = 2;

const BUILD = { version: `${process.env["WASP_VERSION"]}`, commit: `${process.env["WASP_COMMIT"]}` };

/** Runs a command line and tells its exit status. */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...flags] = argv;
  const asksForHelp = argv.includes("--help") || argv.includes("-h");
  // Straight to the hook: it runs before every container's first instruction, and citty would double its own work.
  if (name === "hook" && !asksForHelp) return hook(flags);
  if (name === "--version") return print(`wasp ${VERSION}`);
  // A runtime starts what is in its folder of plugins without a word, whatever its name there is.
  if (name === "nri" || (name === undefined && process.env["NRI_PLUGIN_SOCKET"] !== undefined)) {
    if (!asksForHelp) return await (await import("./commands/nri.ts")).runNri(flags, BUILD);
  }
  const { renderUsage } = await import("citty");
  if (name === undefined || (asksForHelp && name.startsWith("-"))) return print(await renderUsage(ROOT));
  if (!isCommand(name)) return refuse(name);
  if (asksForHelp || (name === "trace" && flags.length === 0)) return print(await usageOf(name, flags));
  if (name === "trace") {
    const { runTrace } = await import("./commands/trace.ts");
    return runTrace(flags, BUILD);
  }
  if (name === "install") return await (await import("./commands/install.ts")).runInstall(flags);
  if (name === "uninstall") return await (await import("./commands/uninstall.ts")).runUninstall(flags);
  const { runAgent } = await import("./commands/agent.ts");
  return runAgent(flags, BUILD);
}

// Fails open even where the command cannot be loaded: its system calls need the JIT, which a host may forbid.
async function hook(flags: readonly string[]): Promise<number> {
  try {
    const { runHook } = await import("./commands/hook.ts");
    await runHook(flags);
  } catch (error) {
    console.error(`wasp hook: hook-failed error=${JSON.stringify((error as Error).message)}`);
  }
  return 0;
}

const VERSION = `${BUILD.version} (${BUILD.commit})`;

const ROOT = {
  meta: { name: "wasp", version: VERSION, description: "Swap for Kubernetes workloads, granted exactly" },
  args: {
    help: { type: "boolean", description: "Show what a command does and its flags" },
    version: { type: "boolean", description: "Show version and commit" },
  },
  subCommands: COMMANDS,
} as const;

async function usageOf(name: keyof typeof COMMANDS, [word = ""]: readonly string[]): Promise<string> {
  const { renderUsage } = await import("citty");
  if (name === "trace") {
    const { TRACE_COMMANDS, isTraceCommand } = await import("./commands/trace.ts");
    const parent = { meta: { ...ROOT.meta, name: "wasp trace" } };
    if (isTraceCommand(word)) return renderUsage(TRACE_COMMANDS[word], parent);
  }
  return renderUsage(await COMMANDS[name](), ROOT);
}

function isCommand(name: string): name is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, name);
}

async function refuse(name: string): Promise<number> {
  const { consola } = await import("consola");
  const what = name.startsWith("-") ? "flag" : "command";
  consola.error(
    `unknown ${what} ${name}: the commands are ${Object.keys(COMMANDS).join(", ")}; see wasp --help`,
  );
  return EXIT_USAGE;
}

function print(text: string): number {
  console.log(process.stdout.isTTY ? text : Bun.stripANSI(text));
  return 0;
}

process.exit(await main(process.argv.slice(2)));

export {};
