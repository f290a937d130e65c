import type { Distribution } from "./distribution.ts";
import type { KubeletConfigPatch } from "./settings.ts";

type Settings = Partial<KubeletConfigPatch>;

/** A kubelet's settings as lines of its configuration file. */
export function asFields({ failSwapOn, evictionSoft, evictionSoftGracePeriod }: Settings): readonly string[] {
  return [
    ...(failSwapOn === undefined ? [] : [`failSwapOn: ${failSwapOn}`]),
    ...(evictionSoft === undefined
      ? []
      : ["evictionSoft:", `  memory.available: ${JSON.stringify(evictionSoft["memory.available"])}`]),
    ...(evictionSoftGracePeriod === undefined
      ? []
      : ["evictionSoftGracePeriod:", `  memory.available: ${evictionSoftGracePeriod["memory.available"]}`]),
  ];
}

/** A kubelet's settings as a distribution takes them. */
export function asTaken(settings: Settings, { as }: Distribution["settings"]): readonly string[] {
  if (as === "fields") return asFields(settings);
  return asArguments(settings).map((argument) => (as === "flags" ? `--${argument}` : argument));
}

function asArguments({ failSwapOn, evictionSoft, evictionSoftGracePeriod }: Settings): readonly string[] {
  return [
    ...(failSwapOn === undefined ? [] : [`fail-swap-on=${failSwapOn}`]),
    ...(evictionSoft === undefined
      ? []
      : [`eviction-soft=memory.available<${evictionSoft["memory.available"]}`]),
    ...(evictionSoftGracePeriod === undefined
      ? []
      : [`eviction-soft-grace-period=memory.available=${evictionSoftGracePeriod["memory.available"]}`]),
  ];
}
