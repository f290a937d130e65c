import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { parseAllDocuments } from "yaml";
import { find } from "../manifests/kustomize.ts";
import { complaintsAbout } from "../manifests/openapi.ts";
import { type Outcome, ROOT } from "../node/binary.ts";
import { type Answer, type FakeKubectl, fakeKubectl } from "./fake-kubectl.ts";
import { startRegistry } from "./registry-server.ts";

const folder = await mkdtemp(`${tmpdir()}/wasp-cluster-sync-`);
const newFolder = async (): Promise<string> => mkdtemp(`${folder}/`);
afterAll(() => rm(folder, { recursive: true }));

const WORK = `${ROOT}/dist/cluster-sync`;
const MANIFESTS = `${WORK}/manifests.yaml`;
const APPLY = `apply --filename ${MANIFESTS}`;
const WAIT = "rollout status daemonset/wasp --namespace wasp --timeout=300s";
const DRY_STEPS = ["version --client --output=json", "config current-context", `kustomize ${WORK}`];
const ALL_STEPS = [
  ...[
    "version --client --output=json",
    "config current-context",
    "version --output=json --request-timeout=10s",
  ],
  ...[`kustomize ${WORK}`, APPLY, WAIT, "get daemonset wasp --namespace wasp --output=json"],
];

async function kubectlThat(answers: Record<string, Answer> = {}): Promise<FakeKubectl> {
  return fakeKubectl(await newFolder(), answers);
}

async function clusterSync(
  kubectl: { readonly folder: string },
  prefix: string,
  ...flags: string[]
): Promise<Outcome> {
  const command = [process.execPath, `${ROOT}/manifests/sync/cluster-sync.ts`, ...flags];
  const env = {
    PATH: `${kubectl.folder}:/usr/bin:/bin`,
    HOME: folder,
    DOCKER_PREFIX: prefix,
    INIT_CWD: folder,
  };
  const run = Bun.spawn(command, { cwd: ROOT, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  return { exitCode, stdout, stderr };
}

const objectsIn = (text: string) => parseAllDocuments(text).map((document) => document.toJS());
const imageIn = (text: string) =>
  find(objectsIn(text), "DaemonSet").spec.template.spec.containers[0].image as string;

describe("npm run cluster-sync", () => {
  test("builds, pushes, applies the image by its digest, and waits; the second time it pushes nothing", async () => {
    await using registry = await startRegistry(await newFolder());
    const kubectl = await kubectlThat();
    const run = await clusterSync(kubectl, `${registry.host}/you`, "--component", "eviction");
    expect(run).toMatchObject({ exitCode: 0, stdout: "" });
    expect(run.stderr).toMatch(/layer sha256:\w{12}, \d+\.\d MB: uploaded in/);
    expect(run.stderr).toContain("ready, on nodes: 3");
    expect(kubectl.commands()).toEqual(ALL_STEPS);

    const applied = readFileSync(MANIFESTS, "utf8");
    expect(objectsIn(applied).flatMap(complaintsAbout)).toEqual([]);
    expect(applied).toContain("evictionMode: Enforce");
    const [name, digest] = imageIn(applied).split("@");
    expect(name).toBe(`${registry.host}/you/wasp`);
    expect(await pulledProgram(registry.host, digest ?? "")).toEqual(await Bun.file(`${WORK}/wasp`).bytes());

    const again = await clusterSync(kubectl, `${registry.host}/you`);
    expect(again.exitCode).toBe(0);
    expect(again.stderr.match(/: exists already$/gm)).toHaveLength(4);
    expect(again.stderr).not.toMatch(/uploaded|written/);
    expect(imageIn(readFileSync(MANIFESTS, "utf8"))).toBe(`${name}@${digest}`);
  });

  test("prints each step and the manifests in a dry run, without a request to registry or cluster", async () => {
    const kubectl = await kubectlThat();
    // Nothing listens there.
    const run = await clusterSync(kubectl, "127.0.0.1:1/you", "--dry-run", "--timeout", "60");
    expect(run.exitCode).toBe(0);
    expect(kubectl.commands()).toEqual(DRY_STEPS);
    expect(imageIn(run.stdout)).toMatch(/^127\.0\.0\.1:1\/you\/wasp@sha256:\w{64}$/);
    const digest = imageIn(run.stdout).split("@")[1];
    const steps = run.stderr.split("\n").filter((line) => /^(\d\. | {2}\$ )/.test(line));
    expect(steps).toEqual([
      ...["1. find the cluster", "  $ kubectl version --output=json --request-timeout=10s"],
      ...[
        "2. build the image",
        expect.stringMatching(/^ {2}\$ \/.*\/build\.ts --image --arch \w+ --outfile \//),
      ],
      `3. push it as 127.0.0.1:1/you/wasp:latest, digest ${digest}`,
      ...[`4. render the manifests, to ${MANIFESTS}`, `  $ kubectl kustomize ${WORK}`],
      ...["5. apply them", `  $ kubectl ${APPLY}`],
      ...["6. wait for the agents", `  $ kubectl ${WAIT.replace("300", "60")}`],
    ]);
  });

  test("does not change the cluster if the image cannot be pushed", async () => {
    const kubectl = await kubectlThat();
    const run = await clusterSync(kubectl, "127.0.0.1:1/you");
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("\ncluster-sync: http://127.0.0.1:1 cannot be reached: ");
    expect(kubectl.commands()).toEqual(ALL_STEPS.slice(0, 3));
  });

  test("applies an overlay, relative to the folder of the npm call, unless it sets another image", async () => {
    const kubectl = await kubectlThat();
    await mkdir(`${folder}/mine`);
    const overlay = (more: object) =>
      Bun.write(
        `${folder}/mine/kustomization.yaml`,
        JSON.stringify({ resources: [`${ROOT}/manifests/base`], ...more }),
      );
    await overlay({});
    const run = await clusterSync(kubectl, "127.0.0.1:1/you", "--dry-run", "--overlay", "mine");
    expect(imageIn(run.stdout)).toStartWith("127.0.0.1:1/you/wasp@sha256:");
    await overlay({ images: [{ name: "localhost/wasp", newName: "registry.example/wasp", newTag: "1" }] });
    const other = await clusterSync(kubectl, "127.0.0.1:1/you", "--dry-run", "--overlay", "mine");
    expect(other).toMatchObject({ exitCode: 1, stdout: "" });
    expect(other.stderr).toContain("the DaemonSet runs registry.example/wasp:1: an overlay must not change");
  });

  const node = "node-1";
  const pod = (name: string, status: object, spec: object = { nodeName: node }) => ({
    metadata: { name },
    spec,
    status: { phase: "Pending", conditions: [], ...status },
  });
  const event = (kind: string, name: string, reason: string, message: string, lastTimestamp: string) => ({
    involvedObject: { kind, name },
    ...{ reason, message, lastTimestamp },
  });
  const once = (eventTime: string) => ({ lastTimestamp: null, eventTime });
  const unready = { type: "Ready", status: "False", message: "containers with unready status: [agent]" };
  const unscheduled = { type: "PodScheduled", status: "False", message: "0/3 nodes are available" };
  const crash = { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } };

  test("lists the agents that are not ready in time, with the reasons", async () => {
    await using registry = await startRegistry(await newFolder());
    const pods = [
      pod("wasp-a", { phase: "Running", conditions: [{ type: "Ready", status: "True" }] }),
      pod("wasp-b", { containerStatuses: [{ state: { waiting: { reason: "ImagePullBackOff" } } }] }),
      pod("wasp-c", { containerStatuses: [{ state: crash, lastState: { terminated: { exitCode: 2 } } }] }),
      pod("wasp-d", { phase: "Running", conditions: [unready], containerStatuses: [{ state: {} }] }),
      pod("wasp-e", { conditions: [unscheduled] }, {}),
      pod("wasp-f", {}),
      pod("wasp-g", { conditions: [unscheduled] }, {}),
    ];
    const events = [
      event("Pod", "wasp-d", "FailedMount", "long ago", "2026-01-01T10:00:00Z"),
      event("Pod", "wasp-d", "Unhealthy", "Readiness probe failed", "2026-01-01T10:05:00Z"),
      { ...event("Pod", "wasp-g", "FailedScheduling", "late", ""), ...once("2026-01-01T10:09:00.000001Z") },
      event("Pod", "wasp-g", "FailedScheduling", "early", "2026-01-01T10:00:00Z"),
      event("DaemonSet", "wasp", "FailedCreate", "exceeded quota", "2026-01-01T10:05:00Z"),
      event("Pod", "another", "Evicted", "not wasp's", "2026-01-01T10:05:00Z"),
    ];
    const kubectl = await kubectlThat({
      "rollout status": { stderr: "error: timed out waiting for the condition\n", exitCode: 1 },
      "get pods": { stdout: JSON.stringify({ items: pods }) },
      "get events": { stdout: JSON.stringify({ items: events }) },
    });
    const run = await clusterSync(kubectl, `${registry.host}/you`);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("error: timed out waiting for the condition\n");
    expect(run.stderr.slice(run.stderr.indexOf("cluster-sync: "))).toBe(
      [
        "cluster-sync: applied, but not every agent is ready: kubectl failed with exit status 1, see above",
        "  wasp-b on node-1: ImagePullBackOff",
        "  wasp-c on node-1: CrashLoopBackOff: back-off 10s; exit status 2",
        "  wasp-d on node-1: Unhealthy: Readiness probe failed",
        "  wasp-e without a node: 0/3 nodes are available",
        "  wasp-f on node-1: phase Pending",
        "  wasp-g without a node: FailedScheduling: late",
        "  DaemonSet wasp: FailedCreate: exceeded quota",
        "  logs: kubectl logs --namespace wasp --selector app.kubernetes.io/name=wasp",
        "",
      ].join("\n"),
    );
  });

  test("reports the remedy if no node is a worker", async () => {
    await using registry = await startRegistry(await newFolder());
    const nowhere = { stdout: JSON.stringify({ status: { desiredNumberScheduled: 0 } }) };
    const run = await clusterSync(await kubectlThat({ "get daemonset": nowhere }), `${registry.host}/you`);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toContain("cluster-sync: no node is eligible for the agents.");
  });
});

describe("before anything is built", () => {
  const old = {
    stdout: JSON.stringify({ clientVersion: { major: "1", minor: "20+", gitVersion: "v1.20.2" } }),
  };

  test.each([
    {
      flags: ["--component", "nope"],
      complaint: "--component nope: must be one of api-server-pods, control-plane",
    },
    {
      flags: ["--overlay", "/nope"],
      complaint: "--overlay /nope: must be a folder with a kustomization.yaml",
    },
    { flags: ["--overlay", ".", "--component", "eviction"], complaint: "cannot be combined with --overlay" },
    { flags: ["--arch", "s390x"], complaint: "--arch s390x: must be x64 or arm64" },
    { flags: ["--timeout", "5m"], complaint: "--timeout 5m: must be a whole number of seconds" },
    { flags: ["--dry-rum"], complaint: "Unknown option '--dry-rum'" },
    { flags: [], prefix: "", complaint: "DOCKER_PREFIX is not set" },
    {
      flags: [],
      answers: { "version --client": old },
      complaint: "kubectl is v1.20.2: must be 1.21 or later",
    },
    {
      flags: [],
      answers: { "config current-context": { stderr: "error: current-context is not set\n", exitCode: 1 } },
      complaint: "kubectl config current-context: error: current-context is not set",
    },
    {
      flags: [],
      answers: { "version --output": { stderr: "connection refused\n", exitCode: 1 } },
      complaint: "kubectl version --output=json --request-timeout=10s: connection refused",
    },
  ])("it reports: $complaint", async ({ flags, complaint, prefix = "127.0.0.1:1", answers = {} }) => {
    const kubectl = await kubectlThat(answers as Record<string, Answer>);
    const run = await clusterSync(kubectl, prefix, ...flags);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain(complaint);
    expect(run.stderr).not.toContain("build the image");
  });

  test("it reports missing programs, and their sources", async () => {
    const env = { PATH: await newFolder(), DOCKER_PREFIX: "127.0.0.1:1" };
    const run = await $`${process.execPath} ${ROOT}/manifests/sync/cluster-sync.ts`
      .env(env)
      .nothrow()
      .quiet();
    expect(run.exitCode).toBe(1);
    expect(`${run.stderr}`).toContain("kubectl is required but not in PATH: https://kubernetes.io/");
    expect(`${run.stderr}`).toContain("readelf is required but not in PATH: apt-get install binutils");
  });

  test("it prints its usage", async () => {
    const run = await clusterSync(await kubectlThat(), "", "--help");
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout).toStartWith(
      "DOCKER_PREFIX=REGISTRY/PATH [DOCKER_TAG=latest] [KUBECONFIG=FILE] npm run",
    );
  });
});

/** Pulls the image for this host by its index's digest, verifies all digests, and returns the executable in it. */
async function pulledProgram(host: string, digest: string): Promise<Uint8Array> {
  const pull = async (path: string): Promise<Uint8Array<ArrayBuffer>> => {
    const headers = {
      Accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
    };
    const answer = await fetch(`http://${host}/v2/you/wasp/${path}`, { headers });
    const content = new Uint8Array(await answer.arrayBuffer());
    expect(path).toEndWith(`sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}`);
    return content;
  };
  const pullJson = async (path: string) => JSON.parse(Buffer.from(await pull(path)).toString());
  const { manifests } = await pullJson(`manifests/${digest}`);
  const { layers } = await pullJson(`manifests/${manifests[0].digest}`);
  const into = await newFolder();
  await Bun.write(`${into}/layer.tar.gz`, await pull(`blobs/${layers[0].digest}`));
  await $`tar --extract --file ${into}/layer.tar.gz --directory ${into}`.quiet();
  return Bun.file(`${into}/usr/local/bin/wasp`).bytes();
}
