/** Options and facts of a plain host, from which the tests of the planners differ. */
import type { CrioFacts } from "../../src/install/crio/plan.ts";
import type { InstallOptions } from "../../src/install/engine/options.ts";
import type { PartPlan } from "../../src/install/engine/plan.ts";
import { DISTRIBUTIONS } from "../../src/install/kubelet/distribution.ts";
import type { KubeletFacts, KubeletStarter } from "../../src/install/kubelet/facts.ts";

/** Default folder for hooks. */
export const USR = "/usr/share/containers/oci/hooks.d";
/** Folder for hooks of an administrator. */
export const ETC = "/etc/containers/oci/hooks.d";

export const options: InstallOptions = {
  binaryPath: "/usr/local/bin/wasp",
  evictionSoft: "Auto",
  restart: false,
  swap: { target: undefined, size: undefined, priority: undefined },
  ignoreKubelet: false,
};

export const crio: CrioFacts = {
  isThere: true,
  hooksDirs: [USR],
  hooksDirsSetBy: undefined,
  isHooksDirFixed: false,
  dropInFolder: "/etc/crio/crio.conf.d",
  defaultRuntime: "crun",
  handlers: ["runc", "crun"],
  problems: [],
};

export const kubelet: KubeletFacts = {
  isThere: true,
  startedBy: undefined,
  configFile: "/var/lib/kubelet/config.yaml",
  isConfigKnown: true,
  dropInFolder: "/etc/kubernetes/kubelet.conf.d",
  failSwapOn: undefined,
  failSwapOnNow: undefined,
  evictionSoft: undefined,
  failSwapOnFlag: undefined,
  limitsSwap: false,
  memoryTotalBytes: 64 * 2 ** 30,
  contradictedBy: undefined,
  problems: [],
};

const [k3s, , microK8s, k0s] = DISTRIBUTIONS.map(
  (one): KubeletStarter => ({ ...one, unit: one.units[0] ?? "" }),
);

export { k0s, k3s, microK8s };

/** Returns the text of a plan's only file, without its first line. */
export function textOf({ steps }: PartPlan): string | undefined {
  const [file] = steps.filter((step) => step.kind === "file");
  return file?.text.split("\n").slice(1).join("\n");
}
