import { applicable } from "../engine/applicable.ts";
import type { KubeletConfigPatch } from "./config-patch.ts";
import type { Distribution } from "./distribution.ts";

type Patch = Partial<KubeletConfigPatch>;

/** Formats settings as lines of a KubeletConfiguration. */
export function asConfigLines({
  failSwapOn,
  evictionSoft,
  evictionSoftGracePeriod,
}: Patch): readonly string[] {
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

/** Formats settings in the form that a distribution takes: flags, arguments or fields. */
export function asDistributionSettings(
  patch: Patch,
  { as }: Pick<Distribution["settings"], "as">,
): readonly string[] {
  if (as === "fields") return asConfigLines(patch);
  return asArguments(patch).map((argument) => (as === "flags" ? `--${argument}` : argument));
}

function asArguments({ failSwapOn, evictionSoft, evictionSoftGracePeriod }: Patch): readonly string[] {
  return applicable(
    failSwapOn !== undefined && `fail-swap-on=${failSwapOn}`,
    evictionSoft && `eviction-soft=memory.available<${evictionSoft["memory.available"]}`,
    evictionSoftGracePeriod &&
      `eviction-soft-grace-period=memory.available=${evictionSoftGracePeriod["memory.available"]}`,
  );
}
