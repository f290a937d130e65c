import { type Document, isMap, LineCounter, type Node, parseDocument, type Scalar, visit } from "yaml";
import { AGENT_KNOBS } from "./agent.ts";
import { fieldName } from "./knobs.ts";
import { nearestName } from "./nearest.ts";
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
  const lines = new LineCounter();
  const placeAt = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const document = parseDocument(text, { ...STRICT_YAML, lineCounter: lines });
  const complaints = complaintsAbout(document, placeAt);
  return complaints.length > 0 ? { settings: [], complaints } : readFields(path, document, placeAt);
}

const KNOBS = new Map(AGENT_KNOBS.map((knob) => [fieldName(knob), knob]));
const FIELDS = [...Object.keys(CONFIG_FILE_HEADER), ...KNOBS.keys()];

// The schema is named because a %YAML directive would choose another one, in which `no` is false and 010 is 8.
const STRICT_YAML = {
  version: "1.2",
  schema: "core",
  strict: true,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  // A repeated field is complained of by name, below.
  uniqueKeys: false,
} as const;

type PlaceAt = (offset: number) => string;

// What is no YAML at all is wrong at every other character.
const MAX_SYNTAX_ERRORS = 10;

function complaintsAbout(document: Document.Parsed, placeAt: PlaceAt): string[] {
  const complaints = [...document.errors, ...document.warnings]
    .slice(0, MAX_SYNTAX_ERRORS)
    .map(
      ({ pos, message, code }) =>
        `${placeAt(pos[0])}: ${code === "MULTIPLE_DOCS" ? "a second document: the file holds one" : message}`,
    );
  visit(document, {
    Alias: (_, alias) => {
      complaints.push(`${placeAt(alias.range?.[0] ?? 0)}: *${alias.source}: write the value itself`);
    },
  });
  return complaints;
}

function readFields(path: string, document: Document.Parsed, placeAt: PlaceAt): ConfigFile {
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
    else if (!isHeader(field)) complaints.push(`${place}: ${unknownField(field)}`);
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

function unknownField(field: string): string {
  const nearest = nearestName(field, FIELDS);
  const suggestion = nearest === undefined ? "" : `did you mean ${nearest}? `;
  return `unknown field ${JSON.stringify(field)}: ${suggestion}The fields are ${FIELDS.join(", ")}`;
}
