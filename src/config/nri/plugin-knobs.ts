import * as v from "valibot";
import { AbsolutePathSchema, choiceSchema, SwitchSchema } from "../value-schemas.ts";
import { MemoryQosSchema } from "./memory-qos-schema.ts";

/** Default socket of containerd and CRI-O for plugins (containerd/nri pkg/api/plugin.go). */
export const NRI_SOCKET = "/var/run/nri/nri.sock";

/** Default index of wasp among the runtime's plugins, that of the original plugin's documentation. */
export const NRI_INDEX = "40";

/** Knobs of the agent as an NRI plugin. */
export const NRI_KNOBS = {
  nri: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Also set limits in the containers' specs, as an NRI plugin of containerd or CRI-O"),
  ),
  nriSocket: v.pipe(
    v.optional(AbsolutePathSchema, NRI_SOCKET),
    v.description("Socket on which the runtime listens for plugins"),
  ),
  memoryQos: v.pipe(
    v.optional(MemoryQosSchema),
    v.description(
      "Memory QoS classes and cgroup files that pods may request; unset, such annotations are ignored",
    ),
  ),
  memoryQosOnError: v.pipe(
    v.optional(choiceSchema(["Refuse", "Ignore"]), "Refuse"),
    v.description(
      "Refuse to start a container with an invalid memory QoS annotation, or ignore the annotation",
    ),
  ),
};
