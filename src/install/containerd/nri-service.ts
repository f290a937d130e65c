import { WRITTEN_BY } from "../engine/drop-in.ts";
import type { Step } from "../engine/step.ts";
import { reloadUnits, restartUnit, unitSteps } from "../engine/systemd-unit.ts";

/** The administrator's file of classes for memory QoS, which the service reads. */
export const MEMORY_QOS_FILE = "/etc/wasp/memory-qos.yaml";

const PART = "containerd";
const UNIT = "wasp-nri.service";

/** Conditions that decide the service's flags. */
export interface NriServiceOptions {
  readonly hasMemoryQos: boolean;
  readonly kubeletLimitsSwap: boolean;
}

/** Returns the steps that keep `wasp nri` running on a host, even if it or the runtime ends. */
export function nriServiceSteps(binaryPath: string, options: NriServiceOptions): readonly Step[] {
  const why = "it puts the limits into the spec of each container that containerd creates";
  return [
    ...unitSteps(PART, {
      name: UNIT,
      text: unitText(binaryPath, options),
      wantedBy: "multi-user.target",
      why,
    }),
    reloadUnits(PART),
    { ...restartUnit(PART, UNIT), undo: { argv: ["systemctl", "stop", UNIT], order: "first" } },
  ];
}

function unitText(binaryPath: string, { hasMemoryQos, kubeletLimitsSwap }: NriServiceOptions): string {
  // Without classes, annotations for them are meant for another plugin or another node.
  const qos = hasMemoryQos ? `--config=${MEMORY_QOS_FILE}` : "--on-error=Ignore";
  const flags = kubeletLimitsSwap ? qos : `--swap-behavior=LimitedSwap ${qos}`;
  return `${WRITTEN_BY}
[Unit]
Description=Swap limits and memory QoS for containers, through NRI (wasp)
Before=kubelet.service
# It waits for containerd by itself, and for as long as that takes.
StartLimitIntervalSec=0

[Service]
ExecStart=${binaryPath} nri ${flags}
Restart=always
RestartSec=1
# containerd waits for it with each container that it makes.
OOMScoreAdjust=-999
MemorySwapMax=0

[Install]
WantedBy=multi-user.target
`;
}
