import { isMap, type Node, type Scalar } from "yaml";
import { unknownField } from "../nearest.ts";
import { parseStrictYaml, type StrictYaml } from "../strict-yaml.ts";
import { fieldName } from "../value-schemas.ts";
import { AGENT_KNOBS } from "./knobs.ts";
import type { Setting } from "./setting.ts";

/** The fields that say what a configuration file is. */
export const CONFIG_FILE_HEADER = { apiVersion: "wasp.io/v1alpha1", kind: "WaspConfiguration" } as const;

/** What a configuration file sets, and all that is wrong with the file as such. */
export interface ConfigFile {
  readonly settings: readonly Setting[];
  /** Each begins with the file's name, and its line where there is one. */
  readonly complaints: readonly string[];
}

/** Reads the text of a configuration file; whether a knob can be what it is set to is not looked at here. */
export function parseConfigFile(path: string, text: string): ConfigFile {
  const { document, placeAt, complaints } = parseStrictYaml(path, text);
  return complaints.length > 0 ? { settings: [], complaints } : readFields(path, document, placeAt);
}

const KNOBS = new Map(AGENT_KNOBS.map((knob) => [fieldName(knob), knob]));
const FIELDS = [...Object.keys(CONFIG_FILE_HEADER), ...KNOBS.keys()];

type PlaceAt = StrictYaml["placeAt"];

function readFields(path: string, document: StrictYaml["document"], placeAt: PlaceAt): ConfigFile {
  const { contents } = document;
  if (contents !== null && !isMap<Scalar<string>, Node | null>(contents)) {
    return {
      settings: [],
      complaints: [`${path}: holds no fields, such as kind: ${CONFIG_FILE_HEADER.kind}`],
    };
  }
  const settings: Setting[] = [];
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const { key, value: node } of contents?.items ?? []) {
    const field = key.value;
    const place = placeAt(key.range?.[0] ?? 0);
    const value: unknown = node?.toJS(document) ?? null;
    const knob = KNOBS.get(field);
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
    if (!seen.has(field)) complaints.push(`${path}: ${field} is missing: it is ${expected}`);
  }
  return { settings, complaints };
}

function isHeader(field: string): field is keyof typeof CONFIG_FILE_HEADER {
  return Object.hasOwn(CONFIG_FILE_HEADER, field);
}
