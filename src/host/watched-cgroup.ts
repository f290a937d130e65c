import type { FSWatcher } from "node:fs";
import type { KubepodsCgroup } from "../policy/kubernetes/pod-cgroup.ts";
import type { KubepodsContainer } from "./kubepods.ts";

/** Watched cgroup. */
export interface WatchedCgroup {
  readonly path: string;
  readonly cgroup: KubepodsCgroup;
  readonly parent: WatchedCgroup | undefined;
  readonly children: Map<string, WatchedCgroup>;
  /** Identity of the directory, among those that have had its name. */
  readonly identity: string;
  watcher: FSWatcher | undefined;
  /** Last reported container, at the level of containers. */
  container: KubepodsContainer | undefined;
}

/** Returns true for a container's scope, and for what its runtime made below. */
export function isOwnLevel({ cgroup }: WatchedCgroup): boolean {
  return cgroup.level === "container" || cgroup.level === "child";
}

/** Returns the scope of a level below it; any other cgroup itself. */
export function containerNodeOf(node: WatchedCgroup): WatchedCgroup {
  return node.cgroup.level === "child" && node.parent !== undefined ? containerNodeOf(node.parent) : node;
}

/** Returns the levels below a scope, relative to it, the deepest first. */
export function levelsBelow({ children }: WatchedCgroup, above = ""): string[] {
  return [...children].flatMap(([name, child]) => [...levelsBelow(child, `${above}${name}/`), above + name]);
}
