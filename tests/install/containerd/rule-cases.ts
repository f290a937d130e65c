import type { RuleCase } from "../check/rule-case.ts";

/** Cases of the rules on NRI. */
export const NRI_CASES: readonly RuleCase[] = [
  ["nri", "off, and not needed", {}, "none", ""],
  ["nri", "off", { runtime: "containerd" }, "warning", "NRI is off"],
  ["nri", "on", { runtime: "containerd", isNriOn: true }, "warning", "no plugin of containerd"],
  ["nri", "used", { runtime: "containerd", isNriOn: true, nriPluginPid: 7 }, "ok", "pid 7"],
  ["nri", "used where it need not be", { isNriOn: true, nriPluginPid: 7 }, "ok", "pid 7"],
];
