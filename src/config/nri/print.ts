import { stringify } from "yaml";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { printable } from "../../terminal/printable.ts";
import type { NriConfig } from "./knobs.ts";
import { memoryQosAsWritten } from "./memory-qos-schema.ts";

/** Formats the configuration of `wasp nri`: its flags as comments, and memory QoS as a file for --config. */
export function formatNriConfig({ flags }: NriConfig, memoryQos: MemoryQosConfig): string {
  const rows = flags.map(({ flag, value, source }) => ({ left: printable(`${flag} ${value}`), source }));
  const width = Math.min(MAX_FLAG_WIDTH, Math.max(...rows.map(({ left }) => left.length)));
  const comments = rows.map(({ left, source }) => `# ${left.padEnd(width)}  ${printable(source)}\n`);
  return `${comments.join("")}${stringify(memoryQosAsWritten(memoryQos), { lineWidth: 0 })}`;
}

// A long path should not move all the sources off the screen.
const MAX_FLAG_WIDTH = 60;
