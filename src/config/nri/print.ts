import { stringify } from "yaml";
import type { MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { printable } from "../../terminal/printable.ts";
import type { NriConfig } from "./knobs.ts";
import { memoryQosAsWritten } from "./shared.ts";

/** Formats what `wasp nri` runs with: its flags as comments, and the rest as a file for its --config. */
export function formatNriConfig({ flags }: NriConfig, memoryQos: MemoryQosConfig): string {
  const rows = flags.map(({ flag, value, source }) => ({ left: printable(`${flag} ${value}`), source }));
  const width = Math.min(MAX_WIDTH, Math.max(...rows.map(({ left }) => left.length)));
  const comments = rows.map(({ left, source }) => `# ${left.padEnd(width)}  ${printable(source)}\n`);
  return `${comments.join("")}${stringify(memoryQosAsWritten(memoryQos), { lineWidth: 0 })}`;
}

// One long path should not push all the sources off the screen.
const MAX_WIDTH = 60;
