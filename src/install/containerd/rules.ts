import { install } from "../finding/remedy.ts";
import { checksOn, ok, warning } from "../finding/rule.ts";
import type { KubeletCheckFacts } from "../kubelet/rules.ts";

/** Facts about NRI for the rules. */
export interface NriCheckFacts {
  /** True if the runtime offers NRI. */
  readonly isNriOn: boolean;
  /** The pid of the wasp process that is the runtime's NRI plugin; undefined for none. */
  readonly nriPluginPid: number | undefined;
}

const check = checksOn<KubeletCheckFacts & NriCheckFacts>();

const LATE = "a container gets its limit only when the agent sees it";

/** Requires that wasp is the NRI plugin of containerd, which has no hooks: a container gets its limit before it starts. */
export const nri = check({
  id: "nri",
  needs: ["runtime", "isNriOn", "nriPluginPid"],
  right: "wasp is a plugin of containerd (NRI): a container gets its limit before it starts",
  judge: ({ runtime, isNriOn, nriPluginPid }) => {
    if (nriPluginPid !== undefined) return ok(`wasp is the runtime's plugin: pid ${nriPluginPid}`);
    if (runtime !== "containerd") return undefined;
    return isNriOn
      ? warning(`wasp is no plugin of containerd: ${LATE}`, install("containerd"))
      : warning(`NRI is off: ${LATE}`, install("containerd", "--restart"));
  },
});
