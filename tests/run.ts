// `npm test`: installs what the tests need, checks the code, builds the executable and runs every ring of tests.
// `--fast` leaves out the guest, and the registry. Whatever else cannot run counts as failed. The last line is `N passed, N failed`.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { $, Glob } from "bun";
import { patience } from "./patience.ts";
import { hostPackages } from "./vm/image.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const BUN = process.execPath;
const PACKAGES = [
  "binutils",
  "busybox-static",
  "docker-registry",
  "git",
  "jq",
  "openssh-server",
  "openssl",
  "protobuf-compiler",
  "runc",
  "time",
  ...hostPackages,
];
// The tests start it themselves: as a service it would listen on every network of this host.
const MASKED_UNIT = "/etc/systemd/system/docker-registry.service";

/** One thing that passes or fails as a whole. */
interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const CHECKS: readonly Check[] = [
  { name: "types", command: [BUN, "check"] },
  { name: "lint and format", command: ["node_modules/.bin/biome", "ci", "--error-on-warnings", "."] },
  { name: "dead code and unused packages", command: ["node_modules/.bin/knip"] },
  { name: "build and first run", command: [BUN, "build.ts"] },
];

/** Tests that need the same surroundings. */
interface Ring {
  readonly name: string;
  readonly files: readonly string[];
}

const isFast = process.argv.includes("--fast");
const total = { passed: 0, failed: 0 };

await installPackages();
for (const check of CHECKS) await runCheck(check);
const { quick, registry, guests } = await rings();
// Side by side: most of their time they wait.
await Promise.all([...quick, ...(isFast ? [] : [registry])].map(runRing));
// Two guests at a time: each is an emulated machine, and keeps a processor busy.
if (!isFast) await Promise.all(guests.map(runInTurn));
if (isFast) console.log("\nthe guest and the registry were left out: npm test runs them too");
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function installPackages(): Promise<void> {
  const missing: string[] = [];
  for (const name of PACKAGES) {
    const status = await $`dpkg-query --status ${name}`.nothrow().quiet();
    if (!status.text().includes("\nStatus: install ok installed\n")) missing.push(name);
  }
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(", ")}`);
  if (missing.includes("docker-registry"))
    await $`mkdir -p ${dirname(MASKED_UNIT)} && ln -sfn /dev/null ${MASKED_UNIT}`.nothrow().quiet();
  // Lists first: an old one names packages that are gone.
  const apt = await $`apt-get update -qq && apt-get install -y -qq --no-install-recommends ${missing}`
    .env({ ...process.env, DEBIAN_FRONTEND: "noninteractive" })
    .nothrow()
    .quiet();
  count(
    apt.exitCode === 0,
    "Debian packages",
    `could not install ${missing.join(", ")} (as root?):\n${apt.stderr}`,
  );
}

async function runCheck(check: Check): Promise<void> {
  const started = performance.now();
  const run = await $`${check.command}`.cwd(ROOT).nothrow().quiet();
  count(run.exitCode === 0, `${check.name} (${seconds(started)})`, `${run.stdout}${run.stderr}`);
}

async function rings(): Promise<{ quick: Ring[]; registry: Ring; guests: Ring[][] }> {
  const files = (await Array.fromAsync(new Glob("tests/**/*.test.ts").scan(ROOT))).sort();
  const of = (...rooms: string[]) =>
    files.filter((file) => rooms.some((room) => file.startsWith(`tests/${room}/`)));
  const apart = of("commands", "runc", "sshd", "sync", "vm");
  const pure = files.filter((file) => !apart.includes(file));
  return {
    quick: [
      // Most of the time of either they wait: for timeouts, and for agents under pressure, which take what they take.
      ...sharded("parts, on their own", pure, 2),
      ...sharded("the executable, on a fake node", of("commands"), 6),
      { name: "the host's runc and sshd", files: of("runc", "sshd") },
    ],
    registry: { name: "the way into a cluster, on the host's registry", files: of("sync") },
    guests: [
      [{ name: "the guest", files: of("vm").filter((file) => !isOfHosts(file) && !isOfRuntimes(file)) }],
      [
        { name: "guests that are made ready, restarted and cut off", files: of("vm").filter(isOfHosts) },
        { name: "the guest, with containerd and images", files: of("vm").filter(isOfRuntimes) },
      ],
    ],
  };
}

function sharded(name: string, files: readonly string[], shards: number): Ring[] {
  return Array.from({ length: shards }, (_, shard) => ({
    name: `${name} (${shard + 1} of ${shards})`,
    files: files.filter((_, index) => index % shards === shard),
  }));
}

// In a guest of their own for the sake of time alone: one after the other, the two of a lane take as long as the other.
function isOfRuntimes(file: string): boolean {
  return /\/(nri|nri-install|image|agent-image|pod-install|kubectl)\.test\.ts$/.test(file);
}

async function runInTurn(lane: readonly Ring[]): Promise<void> {
  for (const ring of lane) await runRing(ring);
}

// They restart their guest, so that nobody else can use it.
function isOfHosts(file: string): boolean {
  return /\/install[^/]*$/.test(file);
}

async function runRing(ring: Ring): Promise<void> {
  if (ring.files.length === 0) {
    count(false, ring.name, "it has no tests");
    return;
  }
  const folder = await mkdtemp(`${tmpdir()}/wasp-tests-`);
  const report = `${folder}/report.xml`;
  const started = performance.now();
  try {
    const flags = [
      "--only-failures",
      `--timeout=${patience(60)}`,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
    ];
    const files = ring.files.map((file) => `./${file}`);
    const { exitCode, stdout, stderr } = await $`${BUN} test ${flags} ${files}`.cwd(ROOT).nothrow().quiet();
    // Whole, and after the others': they run side by side.
    console.log(`\n${ring.name}\n${stdout}${stderr}`);
    const { passed, failed } = countsOf(await readFile(report, "utf8").catch(() => ""));
    total.passed += passed;
    total.failed += failed;
    const isWhole = passed > 0 && (exitCode === 0 || failed > 0);
    const figures = `${passed} passed, ${failed} failed (${seconds(started)})`;
    count(isWhole, `${ring.name}: ${figures}`, `it ended with ${exitCode}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

// A skipped test is one that could not run, and so has failed.
function countsOf(report: string): { passed: number; failed: number } {
  const suites = /<testsuites [^>]*>/.exec(report)?.[0] ?? "";
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const failed = attribute("failures") + attribute("errors") + attribute("skipped");
  return { passed: attribute("tests") - failed, failed };
}

function count(isPassed: boolean, name: string, details: string): void {
  total[isPassed ? "passed" : "failed"] += 1;
  console.log(`${isPassed ? "ok  " : "FAIL"} ${name}`);
  if (!isPassed) console.log(details);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
