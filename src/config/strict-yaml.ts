import { type Document, LineCounter, parseDocument, visit } from "yaml";

/** A text of YAML as its tree, with what tells where in its file something stands. */
export interface StrictYaml {
  readonly document: Document.Parsed;
  /** The file and the line, as in `/etc/wasp/config.yaml:3`, of an offset into the text. */
  readonly placeAt: (offset: number) => string;
  /** All that is wrong with it as YAML; each begins with its place. */
  readonly complaints: readonly string[];
}

/** Reads a text as one document of YAML 1.2 without aliases; path is what complaints call it. */
export function parseStrictYaml(path: string, text: string): StrictYaml {
  const lines = new LineCounter();
  const placeAt = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const document = parseDocument(text, { ...STRICT_YAML, lineCounter: lines });
  return { document, placeAt, complaints: complaintsAbout(document, placeAt) };
}

// The schema is named because a %YAML directive would choose another one, in which `no` is false and 010 is 8.
const STRICT_YAML = {
  version: "1.2",
  schema: "core",
  strict: true,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  // A repeated field is complained of by name, by who reads the fields.
  uniqueKeys: false,
} as const;

// What is no YAML at all is wrong at every other character.
const MAX_SYNTAX_ERRORS = 10;

function complaintsAbout(document: Document.Parsed, placeAt: StrictYaml["placeAt"]): string[] {
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
