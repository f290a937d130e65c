import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { PodSpec } from "./pods.ts";
import { PressedNode } from "./pressed-node.ts";

const KUBEPODS = "/sys/fs/cgroup/kubepods.slice";
const MI = 2 ** 20;

/** memory.high of the pods: 2898 MiB less the recorded kubelet's threshold of 100 MiB, less 3 %. */
export const HELD = Math.floor(2898 - 100 - 0.03 * 2898) * MI;

/** Memory of the pods and of the node: 469 MiB are used outside of pods. */
export interface NodeUse {
  readonly podsMebibytes: number;
  readonly availableKibibytes: number;
}

/** Use of a quiet node. */
export const QUIET: NodeUse = { podsMebibytes: 1500, availableKibibytes: 2_000_000 };
/** Use of a node whose pods are near memory.high. */
export const PRESSED: NodeUse = { podsMebibytes: 2700, availableKibibytes: 2_000_000 - 1200 * 1024 };

/** Returns the text of /proc/meminfo of a node with this use. */
export function meminfoOf({ availableKibibytes }: NodeUse, swapFreeKibibytes = 1_048_572): string {
  return [
    "MemTotal:        4016548 kB",
    `MemFree:         ${availableKibibytes - 500_000} kB`,
    `MemAvailable:    ${availableKibibytes} kB`,
    "Inactive(file):   400000 kB",
    "SwapTotal:       1048572 kB",
    `SwapFree:        ${swapFreeKibibytes} kB`,
    "",
  ].join("\n");
}

/** Creates a quiet node whose pods may have 2898 MiB, with a pod that could swap 500 MiB out. */
export async function quietNode(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
  const pressed = await pressedNode(knobs);
  pressed.relieve();
  setUse(pressed, QUIET);
  return pressed;
}

/** Creates the same node under pressure. */
export async function pressedNode(knobs: Readonly<Record<string, unknown>> = {}): Promise<PressedNode> {
  const pressed = await PressedNode.start(knobs);
  pressed.node.node.write(`${KUBEPODS}/memory.max`, `${2898 * MI}\n`);
  setUse(pressed, PRESSED);
  setStat(pressed, pressed.addPod(1, 600), { anon: 500 * MI });
  return pressed;
}

/** Sets the memory in use. */
export function setUse({ node: { node } }: PressedNode, use: NodeUse): void {
  node.write("/proc/meminfo", meminfoOf(use));
  node.write(`${KUBEPODS}/memory.current`, `${use.podsMebibytes * MI}\n`);
}

/** Sets the memory.stat of a pod's containers. */
export function setStat(
  { node }: PressedNode,
  pod: PodSpec,
  figures: Readonly<Record<string, number>>,
): void {
  const lines = Object.entries(figures).map(([name, bytes]) => `${name} ${bytes}\n`);
  for (const { id = "" } of pod.containers) {
    const directory = node.directoryOf(pod, id);
    writeFileSync(`${directory}.stat`, lines.join(""));
    renameSync(`${directory}.stat`, `${directory}/memory.stat`);
  }
}

/** Reads memory.high of kubepods. */
export function highOf({ node: { node } }: PressedNode): string {
  return readFileSync(`${node.root}${KUBEPODS}/memory.high`, "utf8").trim();
}

/** Writes memory.high of kubepods, as another program would. */
export function setHigh({ node: { node } }: PressedNode, text: string): void {
  node.write(`${KUBEPODS}/memory.high`, `${text}\n`);
}
