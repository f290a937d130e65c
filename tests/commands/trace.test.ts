import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { AgentNode } from "../node/agent-node.ts";
import { wasp } from "../node/binary.ts";
import { answer } from "../node/fake-kubelet.ts";
import { FakeNode } from "../node/fake-node.ts";
import { containerIdOf, podUidOf } from "../node/kubepods-tree.ts";
import { type PodSpec, podListJson } from "../node/pods.ts";
import { RunningTrace } from "../node/running-trace.ts";
import { decodeRecording } from "../trace/recordings.ts";

const MI = 2 ** 20;
const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";

const web: PodSpec = {
  uid: podUidOf(1),
  name: "web",
  containers: [{ name: "app", id: containerIdOf(1), requestBytes: 64 * MI }],
};
const late: PodSpec = {
  uid: podUidOf(2),
  name: "late",
  containers: [{ name: "app", id: containerIdOf(2), requestBytes: 64 * MI }],
};

/** Returns a node with a kubelet and readable files. */
async function startNode(): Promise<AgentNode> {
  const node = await AgentNode.start();
  node.node.write("/proc/vmstat", "pswpin 7\npswpout 8\n");
  writeFigures(node.node, KUBEPODS, 50 * MI);
  node.node.write(`${KUBEPODS}/memory.max`, "max\n");
  node.node.write(`${KUBEPODS}/memory.high`, "max\n");
  return node;
}

function addPod(node: AgentNode, pod: PodSpec): void {
  node.addPod(pod);
  writeFigures(node.node, directoryOf(pod), 10 * MI);
  const ofPod = podDirectoryOf(pod);
  writeFigures(node.node, ofPod, 11 * MI);
  node.node.write(`${ofPod}/memory.swap.current`, "8192\n");
  node.node.write(`${ofPod}/memory.events`, "low 0\nhigh 0\nmax 0\noom 0\n");
}

function writeFigures(node: FakeNode, directory: string, memoryBytes: number): void {
  node.write(`${directory}/memory.current`, `${memoryBytes}\n`);
  node.write(`${directory}/memory.stat`, "anon 1000\ninactive_file 300\n");
}

/** Path of the cgroup of a pod's only container. */
function directoryOf(pod: PodSpec): string {
  return `${podDirectoryOf(pod)}/crio-${pod.containers[0]?.id}.scope`;
}

function podDirectoryOf({ uid }: PodSpec): string {
  const pod = `kubepods-burstable-pod${uid.replaceAll("-", "_")}.slice`;
  return `${KUBEPODS}/kubepods-burstable.slice/${pod}`;
}

const flagsOf = (node: AgentNode) => node.flags.filter((flag) => !flag.startsWith("--http-port"));

describe("a recording", () => {
  test("has the changes of the node, until a signal stops it", async () => {
    using node = await startNode();
    addPod(node, web);
    await using trace = new RunningTrace(flagsOf(node));
    const first = await trace.until(({ pods, containers }) => pods.length === 1 && containers.length === 1);
    expect(first).toMatchObject({
      node: { swapInPages: 7, swapOutPages: 8 },
      kubepods: { memoryBytes: 50 * MI, memoryMaxBytes: Number.POSITIVE_INFINITY },
      containers: [{ id: containerIdOf(1), podUid: web.uid, memoryBytes: 10 * MI, anonBytes: 1000 }],
      podSamples: [{ podUid: web.uid, memoryBytes: 11 * MI, swapBytes: 8192, events: { local: { max: 0 } } }],
      pods: [{ name: "web", phase: "Running", isTerminating: false }],
    });

    writeFigures(node.node, directoryOf(web), 20 * MI);
    const grown = await trace.until(({ containers }) => containers[0]?.memoryBytes === 20 * MI);
    expect(grown.atSeconds).toBeGreaterThan(first.atSeconds);

    addPod(node, late);
    const both = await trace.until(({ pods, containers }) => pods.length === 2 && containers.length === 2);
    expect(both.containers[1]).toMatchObject({ id: containerIdOf(2), podUid: late.uid });

    node.removePod(web);
    const left = await trace.until(({ containers }) => containers.length === 1);
    expect(left.containers[0]?.id).toBe(containerIdOf(2));

    const { exitCode, stderr } = await trace.stop("SIGTERM");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^recorded \d+ samples? in \d+\.\d s, \d+ bytes, to standard output: stopped by a signal\n$/,
    );
    expect(trace.notes).toEqual([]);
  });

  test("ends when its duration is over", async () => {
    using node = await startNode();
    addPod(node, web);
    const file = `${node.node.root}/node.jsonl`;
    const running = wasp(["trace", "record", ...flagsOf(node), "--duration=3s", `--output=${file}`]);
    for (let memoryBytes = 11 * MI, done = false; !done; memoryBytes += MI) {
      writeFigures(node.node, directoryOf(web), memoryBytes);
      done = await Promise.race([running.then(() => true), Bun.sleep(200).then(() => false)]);
    }
    const { exitCode, stdout, stderr } = await running;
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain(`to ${file}: the duration is over`);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const { headers, snapshots, notes } = await decodeRecording(readFileSync(file, "utf8"));
    expect(notes).toEqual([]);
    expect(headers).toMatchObject([{ pageBytes: 4096, wasp: expect.stringMatching(/^\d+\.\d+\.\d+$/) }]);
    expect(snapshots.length).toBeGreaterThanOrEqual(2);
    expect(snapshots[0]?.atSeconds).toBeLessThan(3);
    expect(snapshots.at(-1)?.atSeconds).toBeGreaterThan(2.9);
    expect(new Set(snapshots.map(({ containers }) => containers[0]?.memoryBytes)).size).toBeGreaterThan(1);
  });

  test("ends with a whole line before it exceeds its maximum size", async () => {
    using node = await startNode();
    const { exitCode, stdout, stderr } = await wasp([
      ...["trace", "record", "--without-pods", `--fsroot=${node.node.root}`, "--max-size=900"],
    ]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("to standard output: --max-size is reached");
    expect(stdout.length).toBeLessThanOrEqual(900);
    const { snapshots, notes } = await decodeRecording(stdout);
    expect(snapshots.length).toBeGreaterThan(0);
    expect(notes).toEqual([]);
  });

  test("keeps an existing file, unless it may be replaced", async () => {
    using node = await startNode();
    const file = `${node.node.root}/node.jsonl`;
    writeFileSync(file, "precious");
    const flags = ["--without-pods", `--fsroot=${node.node.root}`, "--duration=1s", "--output", file];
    const refused = await wasp(["trace", "record", ...flags]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(`--output: ${file} exists already; --force replaces it`);
    expect(readFileSync(file, "utf8")).toBe("precious");
    expect(await wasp(["trace", "record", ...flags, "--force"])).toMatchObject({ exitCode: 0 });
    expect((await decodeRecording(readFileSync(file, "utf8"))).snapshots.length).toBeGreaterThan(0);
  });

  test("has hashes instead of names on request", async () => {
    using node = await startNode();
    addPod(node, web);
    const pods = `${node.node.root}/pods.json`;
    writeFileSync(pods, podListJson([web]));
    const run = ["trace", "record", `--fsroot=${node.node.root}`, `--pods-file=${pods}`, "--duration=1s"];
    const { stdout } = await wasp([...run, "--hash-names"]);
    for (const name of [web.uid, containerIdOf(1), '"web"', '"app"', '"default"'])
      expect(stdout).not.toContain(name);
    const [snapshot] = (await decodeRecording(stdout)).snapshots;
    expect(snapshot?.pods[0]?.uid).toBe(snapshot?.containers[0]?.podUid as string);
  });

  test("continues without pods if there is no source of them, and reports that once", async () => {
    using node = await startNode();
    addPod(node, web);
    node.kubelet.answer = answer("403 Forbidden", "Forbidden (user=me)");
    const { exitCode, stdout, stderr } = await wasp(["trace", "record", ...flagsOf(node), "--duration=5s"]);
    expect(exitCode).toBe(0);
    expect(stderr.match(/the kubelet .* requires permission to get nodes\/pods/g)).toHaveLength(1);
    const last = (await decodeRecording(stdout)).snapshots.at(-1);
    expect(last).toMatchObject({ pods: [], containers: [{ id: containerIdOf(1) }] });
  });

  test("requests the pods by the agent's configuration", async () => {
    using node = await startNode();
    addPod(node, web);
    const file = `${node.node.root}/config.yaml`;
    const { folder, port } = node.kubelet;
    writeFileSync(
      file,
      `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\nkubeletPort: ${port}\nkubeletTokenFile: ${folder}/token\n` +
        `kubeletServingCertificateFile: ${folder}/kubelet.pem\ndryRun: true\n`,
    );
    const env = { FSROOT: node.node.root };
    await using trace = new RunningTrace(["--config", file], env);
    const { pods } = await trace.until((snapshot) => snapshot.pods.length > 0);
    expect(pods).toMatchObject([{ name: "web" }]);
  });
});

describe("a recording fails", () => {
  test("on a node whose files cannot be read", async () => {
    using node = new FakeNode(2);
    const file = `${node.root}/node.jsonl`;
    const run = await wasp([
      "trace",
      "record",
      "--without-pods",
      `--fsroot=${node.root}`,
      `--output=${file}`,
    ]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain(`${node.root}/proc/vmstat`);
    expect(existsSync(file)).toBe(false);
  });

  test("on a node with cgroup v1", async () => {
    using node = new FakeNode(1);
    node.write("/proc/vmstat", "");
    node.write("/sys/fs/cgroup/memory/kubepods/memory.limit_in_bytes", "0");
    const run = await wasp(["trace", "record", "--without-pods", `--fsroot=${node.root}`]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain("/kubepods is on cgroup v1");
  });

  test("with an invalid pod list", async () => {
    using node = await startNode();
    node.node.write("/pods.json", "{}");
    const pods = `${node.node.root}/pods.json`;
    const run = await wasp(["trace", "record", `--fsroot=${node.node.root}`, `--pods-file=${pods}`]);
    expect(run).toMatchObject({ exitCode: 1, stdout: "" });
    expect(run.stderr).toContain(`${pods}: not a PodList: kind: missing`);
  });
});

describe("the command line", () => {
  test.concurrent.each<[string[], string]>([
    [["rekord"], "unknown command trace rekord: the commands are record, replay; see wasp trace --help"],
    [
      ["--duration=1s"],
      "unknown flag trace --duration=1s: the commands are record, replay; see wasp trace --help",
    ],
    [["record", "--durration=1s"], "unknown flag --durration: did you mean --duration?"],
    [["record", "node.jsonl"], "unexpected argument node.jsonl: the flags are --output"],
    [["record", "--duration=10"], '--duration: "10" is not a duration such as 90s, 10m or 2h'],
    [["record", "--duration=0s"], '--duration: "0s" is not a duration such as 90s, 10m or 2h'],
    [["record", "--max-size=big"], '--max-size: "big" is not a quantity of bytes, such as 512Mi'],
    [["record", "--kubelet-port=0"], '--kubelet-port: "0" is not a whole number from 1 to 65535'],
    [["record", "--hash-names=no"], '--hash-names takes no value, not "no"'],
    [
      ["record", "--without-pods", "--pods-file=pods.json"],
      "--without-pods and --pods-file exclude one another",
    ],
    [["record", "--config=/nowhere/config.yaml"], "--config: cannot read /nowhere/config.yaml"],
  ])("%j is rejected", async (args, message) => {
    const { exitCode, stdout, stderr } = await wasp(["trace", ...args]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});
