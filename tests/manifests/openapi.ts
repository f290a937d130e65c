/** Validates objects against the OpenAPI schema of their kind, as strictly as `kubectl apply --validate=strict`. */
import fixture from "../fixtures/schemas/kubernetes.json";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

type Fields = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, string>> = fixture.kinds;
const schemas = fixture.schemas as Readonly<Record<string, Schema>>;

/** Returns the errors in a Kubernetes object, as `path: complaint`, or an empty list if it is valid. */
export function complaintsAbout(object: Fields): string[] {
  const kind = `${object["apiVersion"]} ${object["kind"]}`;
  const schema = schemas[kinds[kind] ?? ""];
  return schema === undefined ? [`${kind}: is a kind without a schema`] : complaints(object, schema, "");
}

function complaints(value: unknown, schema: Schema, path: string): string[] {
  const referred = schema.$ref === undefined ? undefined : schemas[schema.$ref.replace(/.*\//, "")];
  if (schema.$ref !== undefined && referred === undefined) throw new Error(`${schema.$ref} does not exist`);
  const all = [...(referred === undefined ? [] : [referred]), ...(schema.allOf ?? [])];
  const some = schema.anyOf ?? schema.oneOf;
  return [
    ...all.flatMap((part) => complaints(value, part, path)),
    ...(some?.every((part) => complaints(value, part, path).length > 0)
      ? [`${path}: is none of what it may be`]
      : []),
    ...typeComplaints(value, schema, path),
    ...valueComplaints(value, schema, path),
  ];
}

function typeComplaints(value: unknown, schema: Schema, path: string): string[] {
  const { type, items, nullable } = schema;
  if (type === undefined || (value === null && nullable === true)) return [];
  if (typeOf(value) !== type && !(type === "number" && typeOf(value) === "integer")) {
    return [`${path}: is ${JSON.stringify(value)}, not of type ${type}`];
  }
  if (type === "object") return fieldComplaints(value as Fields, schema, path);
  if (type !== "array" || items === undefined) return [];
  return (value as unknown[]).flatMap((item, index) => complaints(item, items, `${path}/${index}`));
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isSafeInteger(value) ? "integer" : typeof value;
}

function fieldComplaints(object: Fields, schema: Schema, path: string): string[] {
  const { properties = {}, additionalProperties, required = [] } = schema;
  const missing = required.filter((name) => !(name in object)).map((name) => `${path}/${name}: is missing`);
  const rest = additionalProperties === true || schema.properties === undefined ? {} : undefined;
  const wrong = Object.entries(object).flatMap(([name, value]) => {
    const others = typeof additionalProperties === "object" ? additionalProperties : rest;
    const field = properties[name] ?? others;
    return field === undefined
      ? [`${path}/${name}: is unknown`]
      : complaints(value, field, `${path}/${name}`);
  });
  return [...missing, ...wrong];
}

function valueComplaints(value: unknown, schema: Schema, path: string): string[] {
  const { enum: allowed, pattern, minLength = 0, minimum = -Infinity, maximum = Infinity } = schema;
  const text = typeof value === "string" ? value : undefined;
  const isWrong =
    (allowed !== undefined && !allowed.includes(value)) ||
    (text !== undefined && (text.length < minLength || !new RegExp(pattern ?? "").test(text))) ||
    (typeof value === "number" && (value < minimum || value > maximum));
  return isWrong ? [`${path}: ${JSON.stringify(value)} is not allowed`] : [];
}
