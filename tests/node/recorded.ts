import { readdirSync, readFileSync } from "node:fs";
import type { FakeContainer } from "./fake-node.ts";

const OCI = new URL("../fixtures/recordings/oci", import.meta.url).pathname;

/** Container that a real runtime was about to start. */
export interface RecordedContainer extends FakeContainer {
  readonly name: string;
  /** Standard input of the createRuntime hook, unchanged. */
  readonly state: string;
}

/** Reads every recorded container with its state at createRuntime and the cgroups that its runtime creates. */
export function recordedContainers(): RecordedContainer[] {
  const names = readdirSync(OCI).flatMap((file) => /^state-(.*)-createRuntime\.json$/.exec(file)?.[1] ?? []);
  return names.sort().map(recordedContainer);
}

/** Reads one recorded container, by pod and runtime: `burstable-runc`. */
export function recordedContainer(name: string): RecordedContainer {
  const state = readFileSync(`${OCI}/state-${name}-createRuntime.json`, "utf8");
  // The states of newer runtimes were recorded with other pods, which differ only in name, UID and id.
  const recorded = readFileSync(`${OCI}/config-${name.replace(/[\d.]+$/, "")}.json`, "utf8");
  const { id, pid, bundle, annotations } = JSON.parse(state);
  const uid: string = annotations["io.kubernetes.pod.uid"];
  const config = JSON.parse(recorded);
  const qos = /^kubepods(-[a-z]+)?-pod/.exec(config.linux.cgroupsPath)?.[1] ?? "";
  config.linux.cgroupsPath = `kubepods${qos}-pod${uid.replaceAll("-", "_")}.slice:crio:${id}`;
  config.annotations = annotations;
  return { name, state, pid, bundle, config: JSON.stringify(config), ...cgroupsOf(name, config, id) };
}

// As tests/fixtures/recordings/limitedswap.txt has them: crun's process is in a child of the scope, and the scope's
// swap limit is the memory limit; beside it stands the monitor's scope.
function cgroupsOf(
  name: string,
  config: { linux: { cgroupsPath: string; resources: { memory?: { limit: number } } } },
  id: string,
) {
  const [slice = ""] = config.linux.cgroupsPath.split(":");
  const qos = /^kubepods(-[a-z]+)?-pod/.exec(slice)?.[1];
  const parents = ["/kubepods.slice", ...(qos === undefined ? [] : [`/kubepods${qos}.slice`]), `/${slice}`];
  const above = parents.map((_, index) => parents.slice(0, index + 1).join(""));
  const pod = above.at(-1);
  const scope = `${pod}/crio-${id}.scope`;
  const isCrun = name.includes("crun");
  const memoryLimit = config.linux.resources.memory?.limit;
  const levels: [string, string][] = [
    ...above.map((path): [string, string] => [path, "max"]),
    [`${pod}/crio-conmon-${id}.scope`, "max"],
    [scope, isCrun ? String(memoryLimit ?? 0) : "0"],
    ...(isCrun ? ([[`${scope}/container`, "0"]] satisfies [string, string][]) : []),
  ];
  const files = Object.fromEntries(levels.map(([path, limit]) => [`${path}/memory.swap.max`, limit]));
  return { cgroup: isCrun ? `${scope}/container` : scope, files };
}
