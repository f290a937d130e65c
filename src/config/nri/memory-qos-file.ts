import { isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from "yaml";
import { parseLimit } from "../../policy/kubernetes/quantity.ts";
import type { MemoryQosClass, MemoryQosConfig } from "../../policy/memory-qos/classes.ts";
import { BOUNDED_FILES, isMemoryFile, MEMORY_FILES, type MemoryFile } from "../../policy/memory-qos/files.ts";
import { hintAt, shortened, unknownField } from "../complaint.ts";
import { parseStrictYaml, type StrictYaml } from "../strict-yaml.ts";

/** Configuration of memory QoS, and a line for each valid but suspicious setting in it. */
export interface LoadedMemoryQos {
  readonly config: MemoryQosConfig;
  readonly warnings: readonly string[];
}

/** Configuration without classes and files. */
export const NO_MEMORY_QOS: LoadedMemoryQos = Object.freeze({
  config: { classes: [], unifiedAnnotations: [] },
  warnings: [],
});

/**
 * Parses a configuration of memory QoS, `classes: [{name, swaplimitratio}]` and `unifiedannotations: [FILE]`, as the
 * original plugin does, with fields in any case (nri-plugins cmd/plugins/memory-qos/main.go). wasp's own are the `max` of
 * a class, and of a file, which is `{file, max}` then. `path` names it in complaints. Throws one Error with a line for each complaint.
 */
export function parseMemoryQos(path: string, text: string): LoadedMemoryQos {
  const { document, placeAt, complaints } = parseStrictYaml(path, text);
  if (complaints.length > 0) throw new Error(complaints.join("\n"));
  const reader = new MemoryQosReader(placeAt);
  const fields = reader.fields(document.contents, ["classes", "unifiedannotations"], "the configuration");
  const classes = reader.classes(fields.get("classes"));
  const files = reader.files(fields.get("unifiedannotations"));
  if (reader.complaints.length > 0) throw new Error(reader.complaints.join("\n"));
  const bounded = [...files].filter(([, maxBytes]) => maxBytes !== undefined);
  const maxima = bounded.length > 0 && { maxBytes: Object.fromEntries(bounded) };
  return {
    config: { classes, unifiedAnnotations: [...files.keys()], ...maxima },
    warnings: reader.warnings,
  };
}

/** Key and value of a field; the key has the field's place in the file. */
interface FieldNode {
  readonly key: Scalar<string>;
  readonly value: Node | null;
}

class MemoryQosReader {
  readonly complaints: string[] = [];
  readonly warnings: string[] = [];
  readonly #placeAt: StrictYaml["placeAt"];

  constructor(placeAt: StrictYaml["placeAt"]) {
    this.#placeAt = placeAt;
  }

  /** Returns the fields of a map by their names in lower case; an empty node has none, and any other is an error. */
  fields(node: Node | null, names: readonly string[], title: string): ReadonlyMap<string, FieldNode> {
    const fields = new Map<string, FieldNode>();
    if (isEmpty(node)) return fields;
    if (!isMap(node)) {
      this.#complain(node, `${shownOf(node)} is not ${title}: its fields are ${names.join(", ")}`);
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

  classes(field: FieldNode | undefined): readonly MemoryQosClass[] {
    const classes = new Map<string, MemoryQosClass>();
    for (const item of this.#list(field)) {
      const fields = this.fields(item, ["name", "swaplimitratio", "max"], "a class");
      const name = this.#name(item, fields.get("name"));
      const swapLimitRatio = this.#ratio(fields.get("swaplimitratio"));
      const maxSwapBytes = this.#max(fields.get("max"));
      if (name === undefined || swapLimitRatio === undefined) continue;
      if (classes.has(name)) {
        this.#warn(item, `class ${name} is defined twice: the first definition applies`);
        continue;
      }
      if (Math.fround(1 - Math.fround(swapLimitRatio)) === 0)
        this.#warn(
          item,
          `class ${name}: a swaplimitratio of ${swapLimitRatio} sets memory.high to one page, which stalls its containers`,
        );
      classes.set(name, { name, swapLimitRatio, ...(maxSwapBytes !== undefined && { maxSwapBytes }) });
    }
    return [...classes.values()];
  }

  /** Returns the files with their maxima in bytes, undefined for none. */
  files(field: FieldNode | undefined): ReadonlyMap<MemoryFile, number | undefined> {
    const files = new Map<MemoryFile, number | undefined>();
    for (const item of this.#list(field)) {
      const fields = isMap(item) ? this.fields(item, ["file", "max"], "a file with its max") : undefined;
      const file = this.#file(fields === undefined ? item : (fields.get("file")?.value ?? null));
      const maxBytes = this.#max(fields?.get("max"));
      if (file === undefined) continue;
      if (maxBytes !== undefined && !BOUNDED_FILES.includes(file))
        this.#complain(item, `unifiedannotations: ${file} is 0 or 1, and has no max`);
      files.set(file, maxBytes);
    }
    return files;
  }

  #file(node: Node | null): MemoryFile | undefined {
    const file = isScalar(node) ? String(node.value) : "";
    if (isMemoryFile(file)) return file;
    const complaint = `${shownOf(node)} is not a writable memory file of a cgroup`;
    const hint = hintAt(file, MEMORY_FILES, "The files are");
    this.#complain(node, `unifiedannotations: ${complaint}: ${hint}`);
    return undefined;
  }

  #max(field: FieldNode | undefined): number | undefined {
    if (field === undefined) return undefined;
    const maxBytes = parseLimit(isScalar(field.value) ? String(field.value.value) : "");
    if (maxBytes === undefined)
      this.#complain(
        field.key,
        `max: ${shownOf(field.value)} is neither a quantity of bytes, such as 8Gi, nor max`,
      );
    return maxBytes;
  }

  #list(field: FieldNode | undefined): readonly (Node | null)[] {
    if (field === undefined || isEmpty(field.value)) return [];
    if (isSeq<Node | null>(field.value)) return field.value.items;
    this.#complain(field.key, `${field.key.value}: ${shownOf(field.value)} is not a list`);
    return [];
  }

  #name(item: Node | null, field: FieldNode | undefined): string | undefined {
    const name = isScalar(field?.value) ? field.value.value : undefined;
    if (typeof name === "string" && name !== "") return name;
    if (field !== undefined)
      this.#complain(field.key, `name: ${shownOf(field.value)} is not a non-empty string`);
    else if (isMap(item)) this.#complain(item, "name is missing: a class needs one");
    return undefined;
  }

  /** Returns 0 for a missing ratio, as the original plugin does. */
  #ratio(field: FieldNode | undefined): number | undefined {
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

// NaN and infinite numbers have no JSON.
function shownOf(node: Node | null): string {
  const value: unknown = node?.toJSON() ?? null;
  return shortened(typeof value === "number" ? String(value) : JSON.stringify(value));
}
