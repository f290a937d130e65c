/** Runs every command that a document gives to an administrator, or has its own program parse it. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { scripts } from "../package.json";
import {
  commandsIn,
  type DocumentedCommand,
  documentedCommands,
  isOfKubectl,
} from "./documented-commands.ts";
import { AgentNode } from "./node/agent-node.ts";
import { ROOT, WASP } from "./node/binary.ts";
import { InstallHost } from "./node/install-host.ts";
import { podListJson, podOf } from "./node/pods.ts";
import { recordedContainer } from "./node/recorded.ts";
import { patience } from "./patience.ts";

const TRACE = `${ROOT}/tests/fixtures/traces/idle.jsonl.gz`;
const container = recordedContainer("burstable-runc");

let folder: string;
let node: AgentNode;
let host: InstallHost;

beforeAll(async () => {
  folder = mkdtempSync(`${tmpdir()}/wasp-documented-`);
  node = await AgentNode.start();
  node.addPod(podOf(1));
  node.node.add(container);
  node.node.write("/sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  for (const file of ["cgroup.procs", "memory.max", "memory.swap.max"])
    node.node.write(`/sys/fs/cgroup/system.slice/${file}`, "");
  node.node.write("/proc/vmstat", "pswpin 1\npswpout 1\n");
  host = new InstallHost();
  writeFileSync(`${folder}/state.json`, container.state);
  writeFileSync(`${folder}/pods.json`, podListJson([podOf(1)]));
  writeFileSync(`${folder}/FILE`, "secret");
  for (const name of ["a.yaml", "b.yaml", "config.yaml"])
    copyFileSync(`${ROOT}/manifests/base/config.yaml`, `${folder}/${name}`);
  copyFileSync(`${ROOT}/manifests/memory-qos/memory-qos.yaml`, `${folder}/memory-qos.yaml`);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  node[Symbol.dispose]();
  host[Symbol.dispose]();
});

const COMMANDS = [...new Map(documentedCommands().map((one) => [one.words.join(" "), one])).values()];
const programOf = ({ words: [program = ""] }: DocumentedCommand) => program.split("/").at(-1) ?? "";
const of = (...programs: string[]) => COMMANDS.filter((command) => programs.includes(programOf(command)));
const named = (commands: readonly DocumentedCommand[]) =>
  commands.map((command) => [command.words.join(" "), command] as const);

/** Flags that move a command of wasp to the fake node, and whether it runs until it is stopped. */
function onFakeNode(words: readonly string[]): { args: string[]; isLasting?: boolean } {
  const [command = "", sub = ""] = words;
  if (words.includes("--help") || words.includes("--version") || words.includes("--print"))
    return { args: [] };
  switch (command) {
    case "install":
    case "uninstall": {
      const isReading = words.includes("--dry-run") || words.includes("--check");
      return { args: ["--fsroot", host.root, ...(isReading ? [] : ["--dry-run"])] };
    }
    case "hook":
      return { args: ["--fsroot", node.node.root] };
    case "agent": {
      const isLasting = !words.includes("--once") && !words.includes("--print-config");
      // The socket of no runtime: the plugin tries again and again.
      const flags = words.includes("--nri")
        ? [...node.flags, `--nri-socket=${folder}/none.sock`]
        : node.flags;
      return { args: flags.filter((flag) => !words.includes(flag.split("=")[0] ?? "")), isLasting };
    }
    case "nri":
      return {
        args: [`--socket=${folder}/none.sock`, `--fsroot=${node.node.root}`],
        isLasting: !words.includes("--print-config"),
      };
    case "trace": {
      if (sub !== "record") return { args: [] };
      const pods = ["--without-pods", "--pods-file"].some((flag) => words.includes(flag));
      return {
        args: pods ? [`--fsroot=${node.node.root}`] : node.flags.filter((flag) => !flag.startsWith("--http")),
        isLasting: true,
      };
    }
  }
  return { args: [] };
}

/** Runs a command of wasp in the folder; one that lasts is ended after its first output. */
async function run({ words, stdin }: DocumentedCommand) {
  const own = words
    .slice(1)
    .map((word) =>
      word === "FILE" ? `${folder}/FILE` : word.replace("tests/fixtures/traces/idle.jsonl.gz", TRACE),
    );
  const { args, isLasting = false } = onFakeNode(own);
  // Recordings of earlier commands, and their files.
  const output = own[own.indexOf("--output") + 1];
  if (own.includes("--output")) rmSync(`${folder}/${output}`, { force: true });
  if (own[1] === "replay")
    for (const file of own.filter((word) => /^node.*jsonl/.test(word)))
      writeFileSync(
        `${folder}/${file}`,
        file.endsWith(".gz") ? readFileSync(TRACE) : Bun.gunzipSync(readFileSync(TRACE)),
      );
  const child = Bun.spawn([WASP, ...own, ...args], {
    cwd: folder,
    stdin: stdin === undefined ? "ignore" : Bun.file(`${folder}/${stdin}`),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: "/usr/bin:/bin" },
    timeout: patience(20),
  });
  if (isLasting) {
    await Bun.sleep(1500);
    child.kill("SIGINT");
  }
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode: child.exitCode, signal: child.signalCode, stdout, stderr };
}

const EXIT_USAGE = 2;
const COMMAND_LINE =
  /unknown flag|unknown command|unexpected argument|needs a value|takes no value|is only valid|is not one of/;

describe("a command of wasp runs", () => {
  // The prose may name a command, and its flags stand elsewhere.
  const isBare = ({ isProse, words }: DocumentedCommand) =>
    isProse && COMMANDS.some((other) => other.words.join(" ").startsWith(`${words.join(" ")} `));
  const bare = of("wasp").filter((command) => isBare(command));
  const whole = of("wasp").filter((command) => !isBare(command));

  test.each(named(bare))("%s exists", async (_, command) => {
    const { exitCode, stdout } = await run({ ...command, words: [...command.words, "--help"] });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining("USAGE wasp") });
  });

  test.each(named(whole))(
    "%s",
    async (_, command) => {
      const outcome = await run(command);
      expect(outcome).toMatchObject({ signal: null });
      expect(outcome.exitCode === EXIT_USAGE ? outcome.stderr : "").toBe("");
      expect(outcome.stderr).not.toMatch(COMMAND_LINE);
      // A fake host lacks what some of them need; all others succeed.
      const { words } = command;
      const needsHost =
        words.includes("--check") ||
        words.some((word) => word.startsWith("--swap-") || word === "--zram" || word === "--overcommit");
      if (!needsHost || words.includes("--print")) expect(outcome).toMatchObject({ exitCode: 0 });
    },
    patience(30),
  );
});

describe("a command on files does its work, below a folder", () => {
  beforeAll(() => {
    const files = {
      "manifests/monitoring/prometheusrule.yaml": readFileSync(
        `${ROOT}/manifests/monitoring/prometheusrule.yaml`,
        "utf8",
      ),
      "proc/swaps": "Filename\n",
      "sys/fs/cgroup/kubepods.slice/crio-CONTAINER_ID.scope/cgroup.procs": "",
      "proc/meminfo": "SwapTotal: 1 kB\n",
      "proc/pressure/memory": "full avg10=0.00\n",
      "usr/local/bin/wasp": "",
      "usr/share/containers/oci/hooks.d/wasp-swap.json": "",
      "var/lib/wasp/install.json": "",
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
      writeFileSync(`${folder}/${path}`, text);
    }
  });

  test.each(named(of("cat", "find", "grep", "install", "ln", "ls", "mkdir", "rm", "sed")))(
    "%s",
    (_, { words }) => {
      // Nothing on the host itself is read or changed.
      const below = words.map((word) => (word.startsWith("/") ? `${folder}${word}` : word));
      const { exitCode, stderr } = Bun.spawnSync(below, {
        cwd: folder,
        stdin: new Blob(["wasp-agent\n"]),
        env: { PATH: "/usr/bin:/bin" },
      });
      expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    },
  );
});

describe("a command of systemd or the kernel is parsed by its own program", () => {
  test.each(named(of("journalctl", "swapon", "systemctl")))("%s", (_, { words }) => {
    const { exitCode, stderr } = Bun.spawnSync([...words, "--help"], {
      env: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
    });
    expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("the hook's lines are found by the identifier that journald takes off them", () => {
    // systemd src/journal/journald-kmsg.c and journald-syslog.c (syslog_parse_identifier).
    const source = readFileSync(`${ROOT}/src/host/hook-log.ts`, "utf8");
    const [, identifier = ""] = /`(\w+)\[\$\{process\.pid\}\]: /.exec(source) ?? [];
    const kernel = of("journalctl").filter(({ words }) => words.includes("-k") || words.includes("--dmesg"));
    expect(kernel).not.toBeEmpty();
    for (const { words } of kernel) {
      const at = words.findIndex((word) => ["-t", "--identifier"].includes(word));
      expect({ words, identifier: words[at + 1] }).toEqual({ words, identifier });
      expect(words).not.toContain("-g");
      expect(words).not.toContain("--grep");
    }
  });
});

describe("a script of npm exists, with its flags", () => {
  test.each(named(of("npm")))("%s", async (_, { words }) => {
    const [, verb = "", ...rest] = words;
    const script = verb === "run" ? (rest[0] ?? "") : verb;
    expect(Object.keys(scripts)).toContain(script);
    const args = rest.slice(rest.indexOf("--") + 1);
    if (!rest.includes("--")) return;
    if (script === "test") for (const file of args) expect(existsSync(`${ROOT}/${file}`)).toBe(true);
    else if (script === "cluster-sync") {
      const { exitCode } = await Bun.$`node_modules/.bin/bun manifests/sync/cluster-sync.ts ${args} --help`
        .cwd(ROOT)
        .nothrow()
        .quiet();
      expect(exitCode).toBe(0);
    } else
      for (const flag of args)
        expect(readFileSync(`${ROOT}/${script}.ts`, "utf8")).toContain(flag.replace("--", ""));
  });
});

/** Commands that other tests run, each with the text of that test that does. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, text: string]>> = {
  "podman load --input dist/wasp-image.tar": ["tests/vm/agent-image.ts", "podman load --quiet --input "],
  "ctr --namespace k8s.io images import dist/wasp-image.tar": [
    "tests/vm/containerd.ts",
    "ctr --namespace k8s.io images import ",
  ],
  "podman login": ["tests/sync/push.test.ts", "run podman login "],
  "docker login": ["tests/sync/push.test.ts", "or docker login "],
  "node_modules/.bin/bun tests/vm/traces.ts idle": ["tests/vm/traces.ts", "bun tests/vm/traces.ts [NAME]"],
};

test("no command is without a test", () => {
  const programs = [
    ...["wasp", "npm", "cat", "find", "grep", "install", "journalctl", "ln", "ls"],
    ...["mkdir", "rm", "sed", "swapon", "systemctl", "export"],
  ];
  const uncovered = COMMANDS.filter(
    (command) =>
      !programs.includes(programOf(command)) &&
      !isOfKubectl(command) &&
      !(command.words.join(" ") in ELSEWHERE),
  );
  expect(uncovered.map(({ file, words }) => `${file}: ${words.join(" ")}`)).toEqual([]);
  for (const [command, [file, text]] of Object.entries(ELSEWHERE)) {
    expect(COMMANDS.map(({ words }) => words.join(" "))).toContain(command);
    expect(readFileSync(`${ROOT}/${file}`, "utf8")).toContain(text);
  }
  // vm/kubectl.test.ts has kubectl parse its own.
  expect(COMMANDS.filter(isOfKubectl).length).toBeGreaterThan(20);
});

test("commands are found as a shell reads them", () => {
  const text =
    "Run `wasp hook --dry-run` or `wasp-agent`.\n```sh\na -b 'c d' | e --f=1 > out  # not this\n" +
    "g 's|x|y|' \\\n  h && i < in\noc debug node/N -- chroot /host j -k\n```\n```\nk l\n```\n";
  expect(commandsIn(text)).toEqual([
    { words: ["a", "-b", "c d"], stdin: undefined, isProse: false },
    { words: ["e", "--f=1"], stdin: undefined, isProse: false },
    { words: ["g", "s|x|y|", "h"], stdin: undefined, isProse: false },
    { words: ["i"], stdin: "in", isProse: false },
    { words: ["oc", "debug", "node/N"], stdin: undefined, isProse: false },
    { words: ["j", "-k"], stdin: undefined, isProse: false },
    { words: ["wasp", "hook", "--dry-run"], stdin: undefined, isProse: true },
  ]);
});
