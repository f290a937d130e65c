/** A kubectl that asks no cluster: it writes down what it is told to do, and answers as it has been told beforehand. */
import { appendFileSync, readFileSync, writeSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { build, find, type KubernetesObject, MANIFESTS } from "../manifests/kustomize.ts";

/** How a command ends: what it prints, its exit status, and what it complains of. */
export interface Answer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** A kubectl in a folder of its own. */
export interface FakeKubectl {
  /** The folder, for PATH. */
  readonly folder: string;
  /** Each command that it was given, in order. */
  commands(): string[];
}

const VERSION = { major: "1", minor: "33", gitVersion: "v1.33.1" };
const ANSWERS: Record<string, Answer> = {
  "version --client": { stdout: JSON.stringify({ clientVersion: VERSION }) },
  version: { stdout: JSON.stringify({ clientVersion: VERSION, serverVersion: VERSION }) },
  "config current-context": { stdout: "somebody\n" },
  apply: { stdout: "daemonset.apps/wasp created\n" },
  "rollout status": { stdout: 'daemon set "wasp" successfully rolled out\n' },
  "get daemonset wasp": { stdout: JSON.stringify({ status: { desiredNumberScheduled: 3 } }) },
};

/** Makes a kubectl in an empty folder, which answers by the beginning of its command. */
export async function fakeKubectl(
  folder: string,
  answers: Record<string, Answer> = {},
): Promise<FakeKubectl> {
  await Bun.write(`${folder}/answers.json`, JSON.stringify({ ...answers, ...ANSWERS, ...answers }));
  await Bun.write(`${folder}/commands`, "");
  const script = `#!/bin/sh\nexec '${process.execPath}' '${import.meta.path}' '${folder}' "$@"\n`;
  await Bun.write(`${folder}/kubectl`, script);
  await chmod(`${folder}/kubectl`, 0o755);
  return { folder, commands: () => readFileSync(`${folder}/commands`, "utf8").trimEnd().split("\n") };
}

/** Returns what `kubectl kustomize` renders of a folder, whose kustomization stands on the base. */
function kustomize(folder: string): KubernetesObject[] {
  const {
    resources,
    components = [],
    images = [],
  } = parse(readFileSync(`${folder}/kustomization.yaml`, "utf8"));
  const [standsOn] = resources.map((path: string) => resolve(folder, path));
  const names = components.map((path: string) => `components/${basename(path)}`);
  const objects = standsOn === `${MANIFESTS}/base` ? build(names) : kustomize(standsOn);
  const [agent] = find(objects, "DaemonSet").spec.template.spec.containers;
  for (const { name, newName, newTag, digest } of images)
    if (agent.image.startsWith(`${name}:`)) agent.image = newName + (digest ? `@${digest}` : `:${newTag}`);
  return objects;
}

function answerTo(command: string, answers: Record<string, Answer>): Answer {
  const [, answer] = Object.entries(answers).find(([start]) => command.startsWith(start)) ?? [];
  if (answer !== undefined) return answer;
  const [verb, folder = ""] = command.split(" ");
  if (verb === "kustomize")
    return {
      stdout: kustomize(folder)
        .map((object) => stringify(object))
        .join("---\n"),
    };
  return { stderr: `nobody told what to answer: ${command}\n`, exitCode: 1 };
}

if (import.meta.main) {
  const [folder = "", ...args] = process.argv.slice(2);
  const command = args.join(" ");
  appendFileSync(`${folder}/commands`, `${command}\n`);
  const answers = JSON.parse(readFileSync(`${folder}/answers.json`, "utf8"));
  const { stdout = "", stderr = "", exitCode = 0 } = answerTo(command, answers);
  writeSync(2, stderr);
  writeSync(1, stdout);
  process.exitCode = exitCode;
}
