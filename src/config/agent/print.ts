import { parse, stringify } from "yaml";
import { formatQuantity } from "../../policy/kubernetes/quantity.ts";
import { printable } from "../../terminal/printable.ts";
import { fieldName } from "../knob-names.ts";
import { memoryQosAsWritten } from "../nri/memory-qos-schema.ts";
import { CONFIG_FILE_HEADER } from "./config-file.ts";
import { AGENT_KNOBS, type AgentConfig, type AgentKnob } from "./knobs.ts";
import type { SourcedConfig } from "./load.ts";
import { thresholdAsWritten } from "./thresholds.ts";

/** Formats a configuration as a file that sets every knob, with the source of each in a comment. */
export function formatConfig({ config, sources }: Pick<SourcedConfig, "config" | "sources">): string {
  const rows = AGENT_KNOBS.map((knob) => {
    const value = config[knob];
    const field = fieldName(knob);
    const comment = `# ${printable(sources[knob])}`;
    // An unset knob is a comment: no knob accepts YAML's null.
    if (value === undefined) return { left: `# ${field}:`, right: "unset", comment, below: "" };
    return { left: `${field}:`, comment, ...yamlOf(config, knob) };
  });
  const leftWidth = Math.max(...rows.map(({ left }) => left.length));
  const rightWidth = Math.min(MAX_VALUE_WIDTH, Math.max(...rows.map(({ right }) => right.length)));
  const header = Object.entries(CONFIG_FILE_HEADER).map(([field, value]) => `${field}: ${value}`);
  const lines = rows.map(
    ({ left, right, comment, below }) =>
      `${left.padEnd(leftWidth)} ${right.padEnd(rightWidth)} ${comment}${below}`,
  );
  return `${[...header, ...lines].join("\n")}\n`;
}

/** Formats the value of a knob in one line, for a log; equal values have equal texts. */
export function formatKnob(config: AgentConfig, knob: AgentKnob): string {
  const { [knob]: value, evictionThresholds, memoryQos } = config;
  if (value === undefined) return "unset";
  if (knob === "evictionThresholds") return JSON.stringify(evictionThresholds.map(thresholdAsWritten));
  if (knob === "memoryQos" && memoryQos !== undefined) return JSON.stringify(memoryQosAsWritten(memoryQos));
  return scalarOf(knob, value);
}

// A long path should not move all the other comments off the screen.
const MAX_VALUE_WIDTH = 56;

/** Formats a value: the text in the line of its field, and the lines below it. */
function yamlOf(config: AgentConfig, knob: AgentKnob): { readonly right: string; readonly below: string } {
  const { [knob]: value, evictionThresholds, memoryQos } = config;
  if (knob === "evictionThresholds" && evictionThresholds.length > 0)
    return blockOf(evictionThresholds.map(thresholdAsWritten));
  if (knob === "memoryQos" && memoryQos !== undefined) return blockOf(memoryQosAsWritten(memoryQos));
  return { right: scalarOf(knob, value), below: "" };
}

function blockOf(written: unknown): { readonly right: string; readonly below: string } {
  const block = stringify(written, { lineWidth: 0 }).trimEnd();
  return { right: "", below: `\n${block}`.replaceAll("\n", "\n  ") };
}

function scalarOf(knob: AgentKnob, value: unknown): string {
  if (knob === "fsroot" && value === "") return "/";
  if (typeof value === "string") return yamlText(value);
  if (typeof value === "number") return knob.endsWith("Bytes") ? formatQuantity(value) : String(value);
  return Array.isArray(value) ? `[${value.map(yamlText).join(", ")}]` : String(value);
}

// A JSON string is a quoted string of YAML.
function yamlText(text: string): string {
  const isPlain = /^[\w./][\w./*-]*$/.test(text) && parse(text) === text;
  return isPlain ? text : JSON.stringify(text);
}
