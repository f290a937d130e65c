import { knob, optionalKnob, switchKnob } from "../knob.ts";
import { AbsolutePathSchema, choiceSchema } from "../value-schemas.ts";
import { MemoryQosSchema } from "./memory-qos-schema.ts";

/** Default socket of containerd and CRI-O for plugins (containerd/nri pkg/api/plugin.go). */
export const NRI_SOCKET = "/var/run/nri/nri.sock";

/** Default index of wasp among the runtime's plugins, that of the original plugin's documentation. */
export const NRI_INDEX = "40";

/** Knobs of the agent as an NRI plugin. */
export const NRI_KNOBS = {
  nri: switchKnob("Also set limits in the containers' specs, as an NRI plugin of containerd or CRI-O"),
  nriSocket: knob(AbsolutePathSchema, NRI_SOCKET, "Socket on which the runtime listens for plugins"),
  memoryQos: optionalKnob(
    MemoryQosSchema,
    "Memory QoS classes and cgroup files that pods may request; unset, such annotations are ignored",
  ),
  memoryQosOnError: knob(
    choiceSchema(["Refuse", "Ignore"]),
    "Refuse",
    "Refuse to start a container with an invalid memory QoS annotation, or ignore the annotation",
  ),
};
