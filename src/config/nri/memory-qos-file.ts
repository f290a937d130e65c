import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import type { MemoryQosClass, MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { isMemoryFile, MEMORY_FILES, type MemoryFile } from "../../policy/memory-qos/files.ts";
import { suggestionFor, unknownField } from "../nearest.ts";
import { parseStrictYaml, type StrictYaml } from "../strict-yaml.ts";

/** What a configuration of memory QoS says, and what in it is right but hardly meant; a line each. */
export interface LoadedMemoryQos {
  readonly config: MemoryQosConfig;
  readonly warnings: readonly string[];
}

/** The configuration that lets pods ask for nothing. */
export const NO_MEMORY_QOS: LoadedMemoryQos = Object.freeze({
  config: { classes: [], unifiedAnnotations: [] },
  warnings: [],
});

/**
 * Reads a configuration of memory QoS, `classes: [{name, swaplimitratio}]` and `unifiedannotations: [FILE]`, the letters
 * of its fields in any case, as the original does (nri-plugins cmd/plugins/memory-qos/main.go). Path is what complaints
 * call it. Throws one error that complains of all that is wrong, a line each.
 */
export function parseMemoryQos(path: string, text: string): LoadedMemoryQos {
  const { document, placeAt, complaints } = parseStrictYaml(path, text);
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  const reader = new Reader(placeAt);
  const fields = reader.fields(document.contents, ["classes", "unifiedannotations"], "the configuration");
  const classes = reader.classes(fields.get("classes"));
  const unifiedAnnotations = reader.files(fields.get("unifiedannotations"));
  if (reader.complaints.length > 0) throw new Error(reader.complaints.join("\n"));
  return { config: { classes, unifiedAnnotations }, warnings: reader.warnings };
}

/** A field's value, and its key, which tells where it stands. */
interface Field {
  readonly key: Scalar<string>;
  readonly value: Node | null;
}

class Reader {
  readonly complaints: string[] = [];
  readonly warnings: string[] = [];
  readonly #placeAt: StrictYaml["placeAt"];

  constructor(placeAt: StrictYaml["placeAt"]) {
    this.#placeAt = placeAt;
  }

  /** The fields of a map by their names in lower case; anything else is complained of, but for nothing at all. */
  fields(node: Node | null, names: readonly string[], what: string): ReadonlyMap<string, Field> {
    const fields = new Map<string, Field>();
    if (isEmpty(node)) return fields;
    if (!isMap(node)) {
      this.#complain(node, `${shownOf(node)} is not ${what}: its fields are ${names.join(", ")}`);
      return fields;
    }
    for (const { key, value } of (node as YAMLMap<Scalar<string>, Node | null>).items as Pair<
      Scalar<string>,
      Node | null
    >[]) {
      const name = key.value.toLowerCase();
      if (!names.includes(name)) this.#complain(key, unknownField(key.value, names));
      else if (fields.has(name)) this.#complain(key, `${key.value} is set a second time`);
      else fields.set(name, { key, value });
    }
    return fields;
  }

  classes(field: Field | undefined): readonly MemoryQosClass[] {
    const classes = new Map<string, MemoryQosClass>();
    for (const item of this.#list(field)) {
      const fields = this.fields(item, ["name", "swaplimitratio"], "a class");
      const name = this.#name(item, fields.get("name"));
      const swapLimitRatio = this.#ratio(fields.get("swaplimitratio"));
      if (name === undefined || swapLimitRatio === undefined) continue;
      if (classes.has(name)) {
        this.#warn(item, `class ${name} is there a second time: the first one counts`);
        continue;
      }
      if (Math.fround(1 - Math.fround(swapLimitRatio)) === 0)
        this.#warn(
          item,
          `class ${name}: a swaplimitratio of ${swapLimitRatio} makes memory.high a page, and its containers hardly run`,
        );
      classes.set(name, { name, swapLimitRatio });
    }
    return [...classes.values()];
  }

  files(field: Field | undefined): readonly MemoryFile[] {
    const files = new Set<MemoryFile>();
    for (const item of this.#list(field)) {
      const file = isScalar(item) ? String(item.value) : "";
      if (isMemoryFile(file)) files.add(file);
      else this.#complain(item, `unifiedannotations: ${notOneOf(shownOf(item), file, MEMORY_FILES)}`);
    }
    return [...files];
  }

  #list(field: Field | undefined): readonly (Node | null)[] {
    if (field === undefined || isEmpty(field.value)) return [];
    if (isSeq<Node | null>(field.value)) return field.value.items;
    this.#complain(field.key, `${field.key.value}: ${shownOf(field.value)} is not a list`);
    return [];
  }

  #name(item: Node | null, field: Field | undefined): string | undefined {
    const name = isScalar(field?.value) ? field.value.value : undefined;
    if (typeof name === "string" && name !== "") return name;
    if (field !== undefined)
      this.#complain(field.key, `name: ${shownOf(field.value)} is not a text, which quotes make it`);
    else if (isMap(item)) this.#complain(item, "name is missing: the class has to have one");
    return undefined;
  }

  /** 0 where it is not said, as in the original. */
  #ratio(field: Field | undefined): number | undefined {
    if (field === undefined) return 0;
    const ratio = isScalar(field.value) ? field.value.value : undefined;
    if (typeof ratio === "number" && ratio >= 0 && ratio <= 1) return ratio;
    this.#complain(field.key, `${field.key.value}: ${shownOf(field.value)} is not a number from 0 to 1`);
    return undefined;
  }

  #complain(node: Node | null, complaint: string): void {
    this.complaints.push(`${this.#placeOf(node)}: ${complaint}`);
  }

  #warn(node: Node | null, warning: string): void {
    this.warnings.push(`${this.#placeOf(node)}: ${warning}`);
  }

  #placeOf(node: Node | null): string {
    return this.#placeAt(node?.range?.[0] ?? 0);
  }
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}

const MAX_SHOWN_CHARACTERS = 100;

// NaN and infinite numbers have no JSON.
function shownOf(node: Node | null): string {
  const value: unknown = node?.toJSON() ?? null;
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}...`;
}

function notOneOf(shown: string, name: string, right: readonly string[]): string {
  return `${shown} is no file of a cgroup's memory that can be set: ${suggestionFor(name, right)}Those are ${right.join(", ")}`;
}
