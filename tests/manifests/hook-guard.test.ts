/** The guard of hooks.d/ in each shell that may be a node's /bin/sh, with the pipes that a runtime gives to a hook. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { Glob } from "bun";
import definition from "../../hooks.d/wasp-swap.json";
import { patience } from "../patience.ts";
import { guardScript } from "./hook-definition.ts";

setDefaultTimeout(patience(60));

const SHELLS = ["dash", "bash", "busybox"] as const;
const STATE = `{"id":"x","filler":"${"y".repeat(1024 * 1024)}"}\n`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/wasp-guard-`);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Result of a guard as its runtime sees it. */
interface Ending {
  readonly exitCode: number;
  /** Output of the guard and all that it started, until the last of them closed it. */
  readonly output: string;
  /** Exit code of the process that wrote the state: not 0 where the pipe was closed early. */
  readonly writer: number;
  /** Lines of the kernel's log that name the container, with facility and severity. */
  readonly log: readonly string[];
  /** Processes in the bundle's folder after the guard's end. */
  readonly left: readonly string[];
}

/** Runs the guard in a new bundle, as runc and crun do: the latter with SIGCHLD blocked. */
async function guard(
  shell: (typeof SHELLS)[number],
  program: string,
  blocksSigchld: boolean,
): Promise<Ending> {
  const id = crypto.randomUUID();
  const bundle = `${folder}/${id}/userdata`;
  mkdirSync(bundle, { recursive: true });
  writeFileSync(`${bundle}/config.json`, "{}");
  writeFileSync(`${bundle}/state`, STATE);
  const [_, ...args] = definition.hook.args;
  const guarded = args.map((arg) => (arg === "/usr/local/bin/wasp" ? program : arg));
  const argv = [Bun.which(shell) ?? shell, "sh", ...guarded];
  const mask = blocksSigchld ? "sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGCHLD));" : "";
  const start = `use POSIX; ${mask} %ENV = (PATH => "/usr/bin:/bin"); exec { shift @ARGV } @ARGV`;
  const script = "cat state 2>/dev/null; echo $? >written";
  const run = Bun.spawn(["bash", "-c", `{ ${script}; } | "$@"`, "bash", "perl", "-e", start, ...argv], {
    cwd: bundle,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exitCode, stdout, stderr] = await Promise.all([run.exited, run.stdout.text(), run.stderr.text()]);
  return {
    exitCode,
    output: stdout + stderr,
    writer: Number(readFileSync(`${bundle}/written`, "utf8")),
    log: kernelLog(id),
    left: processesIn(bundle),
  };
}

function kernelLog(id: string): string[] {
  const lines = Bun.spawnSync(["dmesg", "--decode"]).stdout.toString().split("\n");
  return lines.filter((line) => line.includes(` id=${id} `));
}

function processesIn(bundle: string): string[] {
  return [...new Glob("[0-9]*").scanSync({ cwd: "/proc", onlyFiles: false })].filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === bundle;
    } catch {
      return false;
    }
  });
}

/** Writes a program for the guard to start, and returns its path. */
function program(script: string, mode = 0o755): string {
  const path = `${folder}/program-${crypto.randomUUID()}`;
  writeFileSync(path, script);
  chmodSync(path, mode);
  return path;
}

const inSh = (script: string) => program(`#!/bin/sh\n${script}\n`);

interface Fate {
  readonly title: string;
  readonly make: () => string;
  readonly line: string;
}

const FATES: readonly Fate[] = [
  { title: "is missing", make: () => `${folder}/none`, line: "is not there, or is empty" },
  { title: "is empty", make: () => program(""), line: "is not there, or is empty" },
  { title: "is not executable", make: () => program("#!/bin/sh\n", 0o644), line: "cannot be executed" },
  { title: "is a folder", make: () => folder, line: "cannot be executed" },
  {
    title: "lacks its interpreter",
    make: () => program("#!/no/such/interpreter\n"),
    line: "cannot be executed",
  },
  { title: "fails", make: () => inSh("exit 3"), line: "ended with status 3" },
  { title: "is killed", make: () => inSh("kill -KILL $$"), line: "was killed by signal 9" },
  { title: "has an illegal instruction", make: () => inSh("kill -ILL $$"), line: "was killed by signal 4" },
];

test("the definition has the guard of guard.sh: `npm run hook-definition` writes it", () => {
  expect(definition.hook.args[2]).toBe(guardScript());
});

const RUNTIMES = SHELLS.flatMap((shell) => [false, true].map((isBlocked) => ({ shell, isBlocked })));

describe.each(RUNTIMES)("in $shell, with SIGCHLD blocked: $isBlocked", ({ shell, isBlocked }) => {
  test.each(FATES)("a hook that $title is logged, and the container starts", async ({ make, line }) => {
    const path = make();
    const { log, ...ending } = await guard(shell, path, isBlocked);
    expect(ending).toEqual({ exitCode: 0, output: "", writer: 0, left: [] });
    expect(log).toEqual([
      expect.stringMatching(
        new RegExp(
          `^user *:warn *: \\[[ .\\d]+\\] wasp\\[\\d+\\]: hook: hook-failed id=\\S+ error="${path} ${line}"$`,
        ),
      ),
    ]);
  });

  test("a hook gets the state and a clean environment, and nothing is logged", async () => {
    const got = `${folder}/${crypto.randomUUID()}`;
    mkdirSync(got);
    const path = inSh(
      `ls -l /proc/$$/fd > ${got}/files; cat > ${got}/state; tr '\\0' '\\n' < /proc/$$/environ > ${got}/env; echo "$@" > ${got}/args`,
    );
    expect(await guard(shell, path, isBlocked)).toEqual({
      exitCode: 0,
      output: "",
      writer: 0,
      log: [],
      left: [],
    });
    expect(readFileSync(`${got}/state`, "utf8")).toBe(STATE);
    expect(readFileSync(`${got}/args`, "utf8")).toBe("hook\n");
    const names = readFileSync(`${got}/env`, "utf8")
      .trim()
      .split("\n")
      .map((entry) => entry.split("=")[0]);
    expect(names.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name ?? ""))).toEqual(["PATH"]);
    // Nothing but its input is a pipe: the runtime waits until its own are closed.
    expect(readFileSync(`${got}/files`, "utf8").match(/\d+ -> pipe/g)).toEqual(["0 -> pipe"]);
  });
});

// bash tries again for 15 s, which is less than the runtime's timeout.
test.concurrent.each(SHELLS)(
  "in %s, a container starts where no process can be made for the hook",
  async (shell) => {
    const [_, ...args] = definition.hook.args;
    const limited = ["setpriv", "--reuid=65534", "--clear-groups", "prlimit", "--nproc=0"];
    // busybox takes the name of its shell as an argument.
    const argv = [...limited, Bun.which(shell) ?? shell, ...(shell === "busybox" ? ["sh"] : []), ...args];
    const started = performance.now();
    const run = Bun.spawn(argv, {
      stdin: new Blob([STATE]),
      env: { PATH: "/usr/bin:/bin" },
      stderr: "ignore",
    });
    expect(await run.exited).toBe(0);
    expect((performance.now() - started) / 1000).toBeLessThan(patience(25) / 1000);
  },
);

test.concurrent.each(RUNTIMES)(
  "in $shell, with SIGCHLD blocked: $isBlocked, a hook that hangs is ended, and the container starts",
  async ({ shell, isBlocked }) => {
    const path = inSh(`sleep 1000 & wait`);
    const started = performance.now();
    const { log, left, ...ending } = await guard(shell, path, isBlocked);
    expect((performance.now() - started) / 1000).toBeWithin(9, patience(14) / 1000);
    expect(ending).toEqual({ exitCode: 0, output: "", writer: 0 });
    expect(log).toEqual([expect.stringMatching(/ error="\S+ did not end within 10 s"$/)]);
    // The hook itself is gone; wasp starts no program, as this one did.
    expect(left.map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"))).toEqual(["sleep\x001000\0"]);
    for (const pid of left) process.kill(Number(pid));
  },
);
