// `npm run cluster-sync` deploys this tree to a cluster: it builds the image, pushes it, renders the manifests with the
// image's digest, applies them and waits for the agents. The cluster is not changed before the whole image is pushed.
import { mkdir, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { kubectl, runInView, showCommand } from "./commands.ts";
import { type Image, readImage } from "./image.ts";
import { type ImageName, imageName, registryUrl } from "./image-name.ts";
import { describe, push } from "./push.ts";
import { Repository } from "./registry.ts";
import { checkChoice, type ManifestChoice, render, writeKustomization } from "./render.ts";
import { waitCommand, waitForRollout } from "./rollout.ts";

const USAGE = `DOCKER_PREFIX=REGISTRY/PATH [DOCKER_TAG=latest] [KUBECONFIG=FILE] npm run cluster-sync -- [FLAG...]

  --dry-run           build and render, and print each step instead of pushing, applying and waiting
  --component NAME    add a component of manifests/components; may be repeated
  --overlay DIR       apply your own kustomization, based on manifests/base, instead
  --arch x64|arm64    architecture of the nodes, by default this host's; may be repeated
  --timeout SECONDS   maximum time to wait for the agents, by default 300
  --plain-http        push without TLS to a registry that is not on this host`;

const ROOT = new URL("../..", import.meta.url).pathname;
const WORK = `${ROOT}dist/cluster-sync`;
const UNPACKED = `${WORK}/unpacked`;
const MANIFESTS = `${WORK}/manifests.yaml`;

interface Options extends ManifestChoice {
  readonly image: ImageName;
  readonly architectures: readonly string[];
  readonly timeoutSeconds: number;
  readonly isPlainHttp: boolean;
  readonly isDryRun: boolean;
}

async function clusterSync(options: Options): Promise<void> {
  const { image, timeoutSeconds, isPlainHttp, isDryRun } = options;
  await checkPrograms();
  await checkChoice(options);

  step("find the cluster");
  await findCluster(isDryRun);

  step("build the image");
  const built = await build(options.architectures);

  const name = `${image.registry}/${image.repository}`;
  step(`push it as ${name}:${image.tag}, digest ${built.index.digest}`);
  log(`to ${registryUrl(image, isPlainHttp)}`);
  if (isDryRun) for (const part of [...built.blobs, ...built.manifests, built.index]) log(describe(part));
  else await push(built, new Repository(image, isPlainHttp, process.env), image.tag, log);
  await rm(UNPACKED, { recursive: true });

  step(`render the manifests, to ${MANIFESTS}`);
  await writeKustomization(WORK, options, { name, digest: built.index.digest });
  showCommand(["kubectl", "kustomize", WORK]);
  const { manifests, daemonSet } = await render(WORK, `${name}@${built.index.digest}`);
  await Bun.write(MANIFESTS, manifests);

  step("apply them");
  const apply = ["kubectl", "apply", "--filename", MANIFESTS];
  if (isDryRun) showCommand(apply);
  else await runInView(apply);

  step("wait for the agents");
  if (isDryRun) showCommand(waitCommand(daemonSet, timeoutSeconds));
  else log(`ready, on nodes: ${await waitForRollout(daemonSet, timeoutSeconds)}`);

  // Standard output is for a pipe, such as to `kubectl diff --filename -`.
  if (isDryRun) process.stdout.write(manifests);
}

async function checkPrograms(): Promise<void> {
  const remedies = {
    kubectl: "https://kubernetes.io/docs/tasks/tools/",
    readelf: "apt-get install binutils",
    tar: "apt-get install tar",
  };
  const missing = Object.entries(remedies).filter(([program]) => Bun.which(program) === null);
  if (missing.length > 0)
    throw new Error(
      missing.map(([program, remedy]) => `${program} is required but not in PATH: ${remedy}`).join("\n"),
    );
  const { clientVersion } = JSON.parse(await kubectl("version", "--client", "--output=json"));
  const [major, minor] = [clientVersion.major, clientVersion.minor].map((text) => Number.parseInt(text, 10));
  // Older versions do not support components.
  if (major === 1 && minor !== undefined && minor < 21)
    throw new Error(`kubectl is ${clientVersion.gitVersion}: must be 1.21 or later`);
}

async function findCluster(isDryRun: boolean): Promise<void> {
  log(`context ${(await kubectl("config", "current-context")).trim()}`);
  const ask = ["version", "--output=json", "--request-timeout=10s"];
  showCommand(["kubectl", ...ask]);
  if (!isDryRun) log(`Kubernetes ${JSON.parse(await kubectl(...ask)).serverVersion.gitVersion}`);
}

async function build(architectures: readonly string[]): Promise<Image> {
  await rm(WORK, { recursive: true, force: true });
  await mkdir(UNPACKED, { recursive: true });
  const archives = architectures.map((arch) => `${WORK}/wasp-${arch}-image.tar`);
  for (const [index, arch] of architectures.entries())
    await runInView([
      ...[process.execPath, `${ROOT}build.ts`, "--image"],
      ...["--arch", arch, "--outfile", archives[index] ?? ""],
    ]);
  return readImage(archives, UNPACKED);
}

let steps = 0;

function step(title: string): void {
  steps += 1;
  console.error(`\n${steps}. ${title}`);
}

function log(line: string): void {
  console.error(`  ${line}`);
}

function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", default: false },
      "dry-run": { type: "boolean", default: false },
      component: { type: "string", multiple: true, default: [] },
      overlay: { type: "string" },
      arch: { type: "string", multiple: true, default: [process.arch] },
      timeout: { type: "string", default: "300" },
      "plain-http": { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const wrongArch = values.arch.find((arch) => arch !== "x64" && arch !== "arm64");
  if (wrongArch !== undefined) throw new Error(`--arch ${wrongArch}: must be x64 or arm64`);
  if (!/^[1-9]\d{0,5}$/.test(values.timeout))
    throw new Error(`--timeout ${values.timeout}: must be a whole number of seconds, such as 300`);
  return {
    image: imageName(process.env),
    components: values.component,
    // npm changes to the folder of package.json.
    overlay: values.overlay && resolve(process.env["INIT_CWD"] ?? ".", values.overlay),
    architectures: [...new Set(values.arch)],
    timeoutSeconds: Number(values.timeout),
    isPlainHttp: values["plain-http"],
    isDryRun: values["dry-run"],
  };
}

try {
  const options = readOptions();
  if (options === "help") console.log(USAGE);
  else await clusterSync(options);
} catch (error) {
  console.error(`\ncluster-sync: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
