import { applicable } from "../engine/applicable.ts";
import { TOML_DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";
import { restartUnit } from "../engine/systemd-unit.ts";
import { isAtLeast } from "../target/version.ts";
import { MEMORY_QOS_FILE, nriServiceSteps } from "./nri-service.ts";

/** Configuration of containerd as the planner sees it: without wasp's own settings. */
export interface ContainerdFacts {
  /** True if the host has containerd. */
  readonly isThere: boolean;
  /** The distribution of Kubernetes that starts it and writes its configuration, such as k3s; undefined for none. */
  readonly distribution: string | undefined;
  /** As in 1.7.24; undefined where it cannot be read, as in an image. */
  readonly version: string | undefined;
  /** Its configuration file. */
  readonly configFile: string;
  /** True if that file exists and is not wasp's own: without a file, containerd has its defaults. */
  readonly isConfigured: boolean;
  /** A folder from which it imports all files that end in .toml; undefined for none. */
  readonly importedFolder: string | undefined;
  /** True if its CRI plugin is disabled, as under Docker. */
  readonly isCriOff: boolean;
  /** The file that configures NRI, and its `disable` if it has one; undefined where no file configures NRI. */
  readonly nri: { readonly file: string; readonly isDisabled: boolean | undefined } | undefined;
  /** The file by which NRI refuses plugins that the runtime did not start itself; undefined for none. */
  readonly connectionsRefusedBy: string | undefined;
  /** Errors of the files that cannot be parsed, one each. */
  readonly problems: readonly string[];
}

/** Conditions under which the NRI service is installed. */
export interface NriInstallContext {
  /** True if the executable is installed, or the same run installs it. */
  readonly hasBinary: boolean;
  /** True if the administrator has configured classes for memory QoS. */
  readonly hasMemoryQos: boolean;
  /** True if the kubelet limits swap itself (LimitedSwap). */
  readonly kubeletLimitsSwap: boolean;
}

const PART = "containerd";

/** Name of NRI among containerd's plugins. */
export const NRI_TABLE = "io.containerd.nri.v1.nri";

/** Lines that turn NRI on at the end of a configuration file that wasp does not own. */
export const NRI_LINES: readonly string[] = [
  `[plugins."${NRI_TABLE}"] # by wasp install`,
  "  disable = false # by wasp install",
];

/** Text of the configuration file that turns NRI on where the host has none. */
export const NRI_FILE = [WRITTEN_BY, "version = 2", `[plugins."${NRI_TABLE}"]`, "  disable = false", ""].join(
  "\n",
);

/**
 * Plans limits for containerd's containers: containerd loads no OCI hooks, so NRI is turned on and `wasp nri` runs as a
 * service.
 */
export function planContainerd(
  facts: ContainerdFacts,
  context: NriInstallContext,
  options: InstallOptions,
): PartPlan {
  if (!facts.isThere) return partPlan(PART, {});
  if (facts.isCriOff)
    return partPlan(PART, {
      notes: ["containerd's CRI is disabled: it serves no kubelet, and is left as it is"],
    });
  if (facts.version !== undefined && !isAtLeast(facts.version, "1.7"))
    return partPlan(PART, {
      notes: [
        `containerd ${facts.version} has no NRI, which exists since 1.7: its containers get their swap limits from wasp agent, shortly after they start`,
      ],
    });
  if (context.kubeletLimitsSwap && !context.hasMemoryQos)
    return partPlan(PART, {
      notes: [
        "the kubelet limits swap itself (memorySwap.swapBehavior: LimitedSwap) and needs no wasp nri, so no service is written; " +
          "to remove an earlier one: wasp uninstall --only containerd",
      ],
    });
  const isOn = isNriOn(facts);
  const enabling = isOn || facts.distribution !== undefined ? [] : enablingSteps(facts);
  return {
    part: PART,
    steps: [
      ...enabling,
      ...(enabling.length > 0 && options.restart ? [restartUnit(PART, "containerd.service")] : []),
      ...nriServiceSteps(options.binaryPath, context),
    ],
    refusals: refusalsOf(facts, context, options),
    notes: applicable(
      !isOn &&
        facts.distribution !== undefined &&
        `${facts.distribution} rewrites its containerd's configuration at each start: if its containerd is older than 2.0, make it write disable = false into [plugins."${NRI_TABLE}"]`,
      enabling.length > 0 &&
        !options.restart &&
        "containerd offers NRI once it is restarted, which stops no container: --restart does that",
      !context.hasMemoryQos &&
        `classes for memory QoS are read from ${MEMORY_QOS_FILE} once that exists and wasp install has run again`,
    ),
  };
}

function refusalsOf(
  facts: ContainerdFacts,
  { hasBinary }: NriInstallContext,
  { binaryPath }: InstallOptions,
): readonly string[] {
  const { nri, connectionsRefusedBy, problems } = facts;
  return applicable(
    ...problems,
    // A table cannot be in a file twice, and one in an imported file replaces the whole table.
    nri !== undefined &&
      !isNriOn(facts) &&
      `${nri.file} configures NRI, and leaves it off: set disable = false in its [plugins."${NRI_TABLE}"], or use --skip ${PART}, which leaves its containers to wasp agent`,
    connectionsRefusedBy !== undefined &&
      `${connectionsRefusedBy} has disable_connections = true in its [plugins."${NRI_TABLE}"]: set it to false, or use --skip ${PART}`,
    !hasBinary && `the service runs ${binaryPath}, which is no executable: install the binary too`,
  );
}

function isNriOn(facts: ContainerdFacts): boolean {
  return facts.nri?.isDisabled === undefined ? isOnByDefault(facts) : !facts.nri.isDisabled;
}

function enablingSteps({ nri, configFile, isConfigured, importedFolder }: ContainerdFacts): readonly Step[] {
  // A table that leaves NRI off is a refusal.
  if (nri !== undefined) return [];
  const why = "containerd 1.7 has NRI turned off by default";
  const file = (path: string): Step => ({ kind: "file", part: PART, path, text: NRI_FILE, mode: 0o644, why });
  if (importedFolder !== undefined) return [file(`${importedFolder}/${TOML_DROP_IN}`)];
  if (!isConfigured) return [file(configFile)];
  return NRI_LINES.map((line) => ({ kind: "line", part: PART, path: configFile, line, why }));
}

// Since 2.0 (containerd:docs/NRI.md).
function isOnByDefault({ version }: ContainerdFacts): boolean {
  return version !== undefined && isAtLeast(version, "2.0");
}
