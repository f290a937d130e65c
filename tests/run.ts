// `npm test`: installs what the tests need, checks the code, builds the executable and runs every ring of tests.
// `--fast` leaves out the guests and the registry. File names limit it to these tests, without checks and build.
// Whatever cannot run counts as failed. The last line is `N passed, N failed`.
import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Glob } from "bun";
import { patience, SLOWNESS_VARIABLE } from "./patience.ts";
import { measureSlowness } from "./run/calibrate.ts";
import { run } from "./run/command.ts";
import { endAtSignals } from "./run/end-with-runner.ts";
import { type Group, runGroup } from "./run/group.ts";
import { installPackages } from "./run/packages.ts";
import { planOf } from "./run/plan.ts";
import { runQueue, type Task } from "./run/queue.ts";
import { Score } from "./run/score.ts";
import { prepareGuests } from "./vm/prepare.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const BUN = process.execPath;
const GUESTS_AT_ONCE = 2;
// A test waits for about half of its time: for time-outs, and for agents that react to pressure.
const GROUPS_PER_CORE = 2;
const CHECK_SECONDS = 300;

/** Command that passes or fails as a whole. */
interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

// The build first: all the others may run beside it, and no test may.
const CHECKS: readonly Check[] = [
  { name: "build and first run", command: [BUN, "build.ts"] },
  { name: "types", command: [BUN, "check"] },
  { name: "lint and format", command: ["node_modules/.bin/biome", "ci", "--error-on-warnings", "."] },
  { name: "dead code and unused packages", command: ["node_modules/.bin/knip"] },
];

const print = (text: string) => console.log(text);
const { values, positionals } = parseArgs({
  options: { fast: { type: "boolean", default: false } },
  allowPositionals: true,
});
const cores = availableParallelism();
const score = new Score(print);

endAtSignals(print);
if (process.getuid?.() !== 0) {
  print("npm test needs root: it installs Debian packages and runs real containers");
  process.exit(1);
}
const isWhole = positionals.length === 0;
if (isWhole) await installPackages(score);
await calibrate();
if (isWhole) await runQueue(CHECKS.map(taskOfCheck), cores, print);
const { alone, sideBySide, guests } = planOf(await testFiles(), values.fast);
await runQueue(alone.map(taskOfGroup), 1, print);
await runQueue(sideBySide.map(taskOfGroup), GROUPS_PER_CORE * cores, print);
if (guests.length > 0) await runGuests();
if (values.fast) print("\nthe guests and the registry were left out: npm test runs them too");
score.close();
process.exitCode = score.failed === 0 ? 0 : 1;

/** Returns the files of the command line, or every test file. */
async function testFiles(): Promise<string[]> {
  if (!isWhole) return positionals.map((file) => relative(ROOT, file));
  return (await Array.fromAsync(new Glob("tests/**/*.test.ts").scan(ROOT))).sort();
}

/** Measures the machine, unless the environment says how slow it is, for all test processes. */
async function calibrate(): Promise<void> {
  const given = process.env[SLOWNESS_VARIABLE];
  const slowness = given === undefined ? await measureSlowness() : Number(given);
  process.env[SLOWNESS_VARIABLE] = slowness.toFixed(2);
  print(
    `this machine, with ${cores} processors, is ${slowness.toFixed(2)} times as slow as the reference machine`,
  );
}

function taskOfCheck({ name, command }: Check): Task {
  const runCheck = async () => {
    const started = performance.now();
    const options = { cwd: ROOT, timeoutMilliseconds: patience(CHECK_SECONDS) };
    const { exitCode, output } = await run(command, options);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    score.check(exitCode === 0, `${name} (${seconds} s)`, output);
  };
  return { name, run: runCheck };
}

function taskOfGroup(group: Group): Task {
  return { name: group.name, run: () => runGroup(group, ROOT, score) };
}

async function runGuests(): Promise<void> {
  const started = performance.now();
  try {
    // Once, before any time-out of a test runs.
    await runQueue([{ name: "the guests' image and snapshots", run: prepareGuests }], 1, print);
  } catch (error) {
    score.check(false, "the guest's image", `${error}`);
    return;
  }
  print(`the guest's image is there (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  await runQueue(guests.map(taskOfGroup), Math.min(GUESTS_AT_ONCE, cores), print);
}
