import type { InstallOptions } from "../engine/options.ts";
import { nameOfTarget, type SwapOptions, type SwapTarget, targetOf } from "../engine/options.ts";
import { kubeletConfigPatch } from "../kubelet/config-patch.ts";
import { type SwapSetup, swapSetup } from "../swap/setup.ts";
import { SIZE_MISSING } from "../swap/size.ts";
import { planSystemSlice, SYSTEM_SLICE_DROP_IN } from "../system-slice/plan.ts";
import { refusalsOfName } from "./device-name.ts";
import { ignitionConfig, type MachineUnit } from "./ignition.ts";
import type { KubeletConfig, MachineConfig, Manifest, Manifests } from "./manifest.ts";

const POOL = "worker";
const API_VERSION = "machineconfiguration.openshift.io/v1";

/** Makes what OpenShift needs to do to its workers the same as `wasp install` does to a host. */
export function openshiftManifests(options: Pick<InstallOptions, "swap" | "evictionSoft">): Manifests {
  const target = targetOf(options.swap);
  if (target === undefined) return { refusals: [SIZE_MISSING] };
  const setup = swapSetup({ ...options.swap, target });
  const refusals =
    setup === undefined
      ? [`${nameOfTarget(target)}: no systemd unit can have its path`]
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
  "the whole device becomes swap, and no manifest can look how large it is: leave --swap-size and --overcommit out";

function refusalsOf(target: SwapTarget, { size }: SwapOptions): readonly string[] {
  if (target.kind === "device")
    return [...refusalsOfName(target.path), ...(size === undefined ? [] : [SIZE_OF_DEVICE])];
  const isMisplaced = target.kind === "file" && !target.path.startsWith("/var/");
  return [
    ...(size === undefined ? [SIZE_MISSING] : []),
    ...(isMisplaced
      ? [`${target.path}: the files of OpenShift's nodes are below /var: choose a path there`]
      : []),
  ];
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
      "The kubelet starts on a node with swap. It stays at NoSwap, its default: wasp gives containers their swap.",
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
      "Swap, made when a node first starts with it, and turned on at every start. The script is the one that wasp install writes.",
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
    comment: "The node's own services do not swap, and their disk is served before that of the pods.",
    object: machineConfig("system-slice", { config: ignitionConfig([], units) }),
  };
}

function pressureConfig(): Manifest {
  return {
    comment: "The kernel tells how much work stands still (PSI), which RHEL's does not by itself.",
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
