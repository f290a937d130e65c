import { kubeletSettings } from "../kubelet.ts";
import type { InstallOptions } from "../options.ts";
import { nameOfTarget, type SwapOptions, type SwapSize, type SwapTarget, targetOf } from "../swap/options.ts";
import { type SwapSetup, swapSetup } from "../swap/setup.ts";
import { SIZE_MISSING } from "../swap/size.ts";
import { planSystemSlice, SYSTEM_SLICE_DROP_IN } from "../system-slice.ts";
import { ignitionConfig, type MachineUnit } from "./ignition.ts";
import type { KubeletConfig, MachineConfig, Manifest } from "./manifest.ts";

/** The manifests that make the workers of an OpenShift cluster ready; or why there are none. */
export type OpenshiftManifests =
  | { readonly manifests: readonly Manifest[] }
  | { readonly refusals: readonly string[] };

const POOL = "worker";
const API_VERSION = "machineconfiguration.openshift.io/v1";

/** Makes what OpenShift needs to do to its workers the same as `wasp install` does to a host. */
export function openshiftManifests(
  options: Pick<InstallOptions, "swap" | "evictionSoft">,
): OpenshiftManifests {
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

// What the device of a node is called by its serial number, or by what the kernel found first, is no device of the next.
const PATH_OF_ALL_NODES = /^\/dev\/(?:disk\/by-(?:path|partlabel)|mapper)\/[^/]+$/;

function refusalsOf(target: SwapTarget, { size }: SwapOptions): readonly string[] {
  if (target.kind === "device") return deviceRefusals(target.path, size);
  const isMisplaced = target.kind === "file" && !target.path.startsWith("/var/");
  return [
    ...(size === undefined ? [SIZE_MISSING] : []),
    ...(isMisplaced
      ? [`${target.path}: the files of OpenShift's nodes are below /var: choose a path there`]
      : []),
  ];
}

function deviceRefusals(path: string, size: SwapSize | undefined): readonly string[] {
  const isForOne = !PATH_OF_ALL_NODES.test(path);
  return [
    ...(isForOne
      ? [
          `${path} is another disk, or none, on other nodes: name it as all of them have it, below /dev/disk/by-path or by-partlabel, or /dev/mapper`,
        ]
      : []),
    ...(size === undefined
      ? []
      : [
          "the whole device becomes swap, and no manifest can look how large it is: leave --swap-size and --overcommit out",
        ]),
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
      kubeletConfig: kubeletSettings(evictionSoft, undefined),
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
