import { WRITTEN_BY } from "../engine/drop-in.ts";
import type { Step } from "../engine/step.ts";
import { reloadUnits, unitSteps } from "../engine/systemd-unit.ts";

/** Where the service looks for classes for memory: the administrator's own file. */
export const MEMORY_QOS_FILE = "/etc/wasp/memory-qos.yaml";

const PART = "containerd";
const UNIT = "wasp-nri.service";

/** The steps that have `wasp nri` run on a host, whatever becomes of it or of the runtime. */
export function nriServiceSteps(binaryPath: string, hasMemoryQos: boolean): readonly Step[] {
  const why = "puts the limits into the specs of containers as containerd makes them";
  return [
    ...unitSteps(PART, {
      name: UNIT,
      text: unitText(binaryPath, hasMemoryQos),
      wantedBy: "multi-user.target",
      why,
    }),
    reloadUnits(PART),
    {
      kind: "command",
      part: PART,
      argv: ["systemctl", "restart", UNIT],
      when: "changed",
      undo: { argv: ["systemctl", "stop", UNIT], order: "first" },
    },
  ];
}

function unitText(binaryPath: string, hasMemoryQos: boolean): string {
  // Where nobody has classes, annotations for them are meant for another plugin, or another node.
  const qos = hasMemoryQos ? `--config=${MEMORY_QOS_FILE}` : "--on-error=Ignore";
  return `${WRITTEN_BY}
[Unit]
Description=Swap limits and memory QoS for containers, through NRI (wasp)
Before=kubelet.service
# It waits for containerd by itself, and for as long as that takes.
StartLimitIntervalSec=0

[Service]
ExecStart=${binaryPath} nri --swap-behavior=LimitedSwap ${qos}
Restart=always
RestartSec=1
# containerd waits for it with each container that it makes.
OOMScoreAdjust=-999
MemorySwapMax=0

[Install]
WantedBy=multi-user.target
`;
}
