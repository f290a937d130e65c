import { applicable } from "../engine/applicable.ts";
import type { InstallOptions } from "../engine/options.ts";
import { nameOfTarget, type SwapOptions, type SwapTarget, targetOf } from "../engine/options.ts";
import { kubeletConfigPatch } from "../kubelet/config-patch.ts";
import { type SwapSetup, swapSetup } from "../swap/setup.ts";
import { SIZE_REQUIRED } from "../swap/size.ts";
import { planSystemSlice, SYSTEM_SLICE_DROP_IN } from "../system-slice/plan.ts";
import { deviceNameRefusals } from "./device-name.ts";
import { ignitionConfig, type MachineUnit } from "./ignition.ts";
import type { KubeletConfig, MachineConfig, Manifest, Manifests } from "./manifest.ts";

const POOL = "worker";
const API_VERSION = "machineconfiguration.openshift.io/v1";

/** Returns manifests with which OpenShift sets up its workers as `wasp install` sets up a host. */
export function openshiftManifests(options: Pick<InstallOptions, "swap" | "evictionSoft">): Manifests {
  const target = targetOf(options.swap);
  if (target === undefined) return { refusals: [SIZE_REQUIRED] };
  const setup = swapSetup({ ...options.swap, target });
  const refusals =
    setup === undefined
      ? [`${nameOfTarget(target)}: systemd has no unit name for this path`]
      : refusalsOf(target, options.swap);
  if (setup === undefined || refusals.length > 0) return { refusals };
  return {
    manifests: [
      kubeletConfig(options.evictionSoft),
      swapConfig(setup),
      systemSliceConfig(target),
      pressureConfig(),
    ],
  };
}

const SIZE_OF_DEVICE =
  "the whole device becomes swap, and a manifest cannot check its size: leave --swap-size and --overcommit out";

function refusalsOf(target: SwapTarget, { size }: SwapOptions): readonly string[] {
  if (target.kind === "device")
    return applicable(...deviceNameRefusals(target.path), size !== undefined && SIZE_OF_DEVICE);
  return applicable(
    size === undefined && SIZE_REQUIRED,
    target.kind === "file" &&
      !target.path.startsWith("/var/") &&
      `${target.path} is not below /var, the folder for files of OpenShift's nodes: choose a path there`,
  );
}

function kubeletConfig(evictionSoft: string): Manifest {
  const object: KubeletConfig = {
    apiVersion: API_VERSION,
    kind: "KubeletConfig",
    metadata: { name: "wasp" },
    spec: {
      machineConfigPoolSelector: {
        matchLabels: { [`pools.operator.machineconfiguration.openshift.io/${POOL}`]: "" },
      },
      kubeletConfig: kubeletConfigPatch(evictionSoft, undefined),
    },
  };
  return {
    comment:
      "Lets the kubelet start on a node with swap. Its swapBehavior stays NoSwap, the default: wasp sets the swap limits.",
    object,
  };
}

function swapConfig({ script, units }: SwapSetup): Manifest {
  const machineUnits = units.map(
    ({ name, text, wantedBy }): MachineUnit => ({
      name,
      ...(wantedBy === undefined ? {} : { enabled: true }),
      contents: text,
    }),
  );
  return {
    comment:
      "Makes swap at the first boot with this configuration, and turns it on at every boot. The script is that of wasp install.",
    object: machineConfig("swap", { config: ignitionConfig([{ ...script, mode: 0o644 }], machineUnits) }),
  };
}

function systemSliceConfig(target: SwapTarget): Manifest {
  const { steps } = planSystemSlice({
    swaps: target.kind === "zram" ? [] : [target.path],
    hasIoLatency: undefined,
    isSwapDenied: undefined,
    hasLatencyTarget: undefined,
  });
  const units = steps.flatMap((step): readonly MachineUnit[] => {
    if (step.kind !== "file") return [];
    const [folder = "", name = ""] = step.path.split("/").slice(-2);
    return step.path === SYSTEM_SLICE_DROP_IN
      ? [{ name: folder.replace(/\.d$/, ""), dropins: [{ name, contents: step.text }] }]
      : [{ name, enabled: true, contents: step.text }];
  });
  return {
    comment:
      "Services of the node itself do not swap, and their disk requests are served before those of pods.",
    object: machineConfig("system-slice", { config: ignitionConfig([], units) }),
  };
}

function pressureConfig(): Manifest {
  return {
    comment: "Turns on pressure stall information (PSI), which is off by default in RHEL's kernel.",
    object: machineConfig("psi", { kernelArguments: ["psi=1"] }),
  };
}

function machineConfig(purpose: string, spec: MachineConfig["spec"]): MachineConfig {
  return {
    apiVersion: API_VERSION,
    kind: "MachineConfig",
    metadata: {
      name: `90-${POOL}-wasp-${purpose}`,
      labels: { "machineconfiguration.openshift.io/role": POOL },
    },
    spec,
  };
}
