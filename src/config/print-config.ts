import { parse } from "yaml";
import { formatQuantity } from "../policy/bytes.ts";
import { AGENT_KNOBS, type AgentKnob } from "./agent.ts";
import { CONFIG_FILE_HEADER } from "./config-file.ts";
import { fieldName } from "./knobs.ts";
import type { SourcedConfig } from "./load-agent.ts";

/** Formats a configuration as a file that sets every knob to what it is, with each one's source in a comment. */
export function formatConfig({ config, sources }: SourcedConfig): string {
  const rows = AGENT_KNOBS.map((knob) => {
    const value = config[knob];
    const field = fieldName(knob);
    // An unset knob's field stands in the comment: YAML's null is no value that a knob can have.
    const [left, right] = value === undefined ? [`# ${field}:`, "unset"] : [`${field}:`, yamlOf(knob, value)];
    return [left, right, `# ${sources[knob].replace(/\p{Cc}/gu, "?")}`] as const;
  });
  const leftWidth = Math.max(...rows.map(([left]) => left.length));
  const rightWidth = Math.min(MAX_VALUE_WIDTH, Math.max(...rows.map(([, right]) => right.length)));
  const header = Object.entries(CONFIG_FILE_HEADER).map(([field, value]) => `${field}: ${value}`);
  const lines = rows.map(
    ([left, right, source]) => `${left.padEnd(leftWidth)} ${right.padEnd(rightWidth)} ${source}`,
  );
  return `${[...header, ...lines].join("\n")}\n`;
}

// One long path should not push all the other comments off the screen.
const MAX_VALUE_WIDTH = 56;

function yamlOf(knob: AgentKnob, value: string | number | boolean | readonly string[]): string {
  if (knob === "fsroot" && value === "") return "/";
  if (typeof value === "string") return yamlText(value);
  if (typeof value === "number") return knob.endsWith("Bytes") ? formatQuantity(value) : String(value);
  return typeof value === "boolean" ? String(value) : `[${value.map(yamlText).join(", ")}]`;
}

// In quotes, YAML reads what JSON does.
function yamlText(text: string): string {
  const isPlain = /^[\w./][\w./*-]*$/.test(text) && parse(text) === text;
  return isPlain ? text : JSON.stringify(text);
}
