import { type Document, LineCounter, parseDocument, visit } from "yaml";

/** Parsed YAML document, with the places of its nodes in the file. */
export interface StrictYaml {
  readonly document: Document.Parsed;
  /** Returns the file and the line of an offset, as in `/etc/wasp/config.yaml:3`. */
  readonly placeAt: (offset: number) => string;
  /** Errors of syntax; each begins with its place. */
  readonly complaints: readonly string[];
}

/** Parses a text as one YAML 1.2 document without aliases; `path` names it in complaints. */
export function parseStrictYaml(path: string, text: string): StrictYaml {
  const lines = new LineCounter();
  const placeAt = (offset: number) => `${path}:${lines.linePos(offset).line}`;
  const document = parseDocument(text, { ...STRICT_YAML, lineCounter: lines });
  return { document, placeAt, complaints: complaintsAbout(document, placeAt) };
}

// The schema is explicit: a %YAML directive would select another one, in which `no` is false and 010 is 8.
const STRICT_YAML = {
  version: "1.2",
  schema: "core",
  strict: true,
  stringKeys: true,
  merge: false,
  resolveKnownTags: false,
  prettyErrors: false,
  // The readers of the fields report a repeated one, by its name.
  uniqueKeys: false,
} as const;

// A text that is not YAML has an error at every other character.
const MAX_SYNTAX_ERRORS = 10;

function complaintsAbout(document: Document.Parsed, placeAt: StrictYaml["placeAt"]): string[] {
  const complaints = [...document.errors, ...document.warnings]
    .slice(0, MAX_SYNTAX_ERRORS)
    .map(
      ({ pos, message, code }) =>
        `${placeAt(pos[0])}: ${code === "MULTIPLE_DOCS" ? "more than one document in the file" : message}`,
    );
  visit(document, {
    Alias: (_, alias) => {
      complaints.push(
        `${placeAt(alias.range?.[0] ?? 0)}: *${alias.source}: aliases are not supported, write the value itself`,
      );
    },
  });
  return complaints;
}
