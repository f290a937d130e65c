import { isMap, type Node, type Scalar } from "yaml";
import { unknownField } from "../complaint.ts";
import { fieldName } from "../knob-names.ts";
import { parseStrictYaml, type StrictYaml } from "../strict-yaml.ts";
import type { KnobSetting } from "./knob-setting.ts";
import { AGENT_KNOBS } from "./knobs.ts";

/** Fields that identify a configuration file. */
export const CONFIG_FILE_HEADER = { apiVersion: "wasp.io/v1alpha1", kind: "WaspConfiguration" } as const;

/** Settings of a configuration file, and the errors of its structure. */
export interface ConfigFile {
  readonly settings: readonly KnobSetting[];
  /** Each begins with the file, and the line if it has one. */
  readonly complaints: readonly string[];
}

/** Parses the text of a configuration file, without validating the values of its knobs. */
export function parseConfigFile(path: string, text: string): ConfigFile {
  const { document, placeAt, complaints } = parseStrictYaml(path, text);
  return complaints.length > 0 ? { settings: [], complaints } : readFields(path, document, placeAt);
}

const KNOB_BY_FIELD = new Map(AGENT_KNOBS.map((knob) => [fieldName(knob), knob]));
const FIELDS = [...Object.keys(CONFIG_FILE_HEADER), ...KNOB_BY_FIELD.keys()];

type PlaceAt = StrictYaml["placeAt"];

function readFields(path: string, document: StrictYaml["document"], placeAt: PlaceAt): ConfigFile {
  const { contents } = document;
  if (contents !== null && !isMap<Scalar<string>, Node | null>(contents)) {
    return {
      settings: [],
      complaints: [`${path}: is not a map of fields, such as kind: ${CONFIG_FILE_HEADER.kind}`],
    };
  }
  const settings: KnobSetting[] = [];
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const { key, value: node } of contents?.items ?? []) {
    const field = key.value;
    const place = placeAt(key.range?.[0] ?? 0);
    const value: unknown = node?.toJS(document) ?? null;
    const knob = KNOB_BY_FIELD.get(field);
    if (seen.has(field)) complaints.push(`${place}: ${field} is set a second time`);
    else if (knob !== undefined)
      settings.push({ knob, value, place: `${place}: ${field}`, source: `file ${path}` });
    else if (!isHeader(field)) complaints.push(`${place}: ${unknownField(field, FIELDS)}`);
    else if (value !== CONFIG_FILE_HEADER[field]) {
      complaints.push(`${place}: ${field}: ${JSON.stringify(value)} is not ${CONFIG_FILE_HEADER[field]}`);
    }
    seen.add(field);
  }
  for (const [field, expected] of Object.entries(CONFIG_FILE_HEADER)) {
    if (!seen.has(field)) complaints.push(`${path}: ${field} is missing: it must be ${expected}`);
  }
  return { settings, complaints };
}

function isHeader(field: string): field is keyof typeof CONFIG_FILE_HEADER {
  return Object.hasOwn(CONFIG_FILE_HEADER, field);
}
