import * as v from "valibot";

/**
 * Decodes a server's JSON text, or a value parsed from it. Throws an Error with the title if it is not JSON or does not
 * fit the schema: `not a PodList: kind: missing`.
 */
export function decode<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  title: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, typeof input === "string" ? parseJson(input) : input);
  if (result.success) return result.output;
  throw new Error(`not ${title}: ${describeIssue(result.issues[0])}`);
}

/** Describes an issue, after the path of its field: `metadata.uid: missing`. */
export function describeIssue(issue: v.BaseIssue<unknown>, field = v.getDotPath(issue)): string {
  return field === null ? problemIn(issue) : `${field}: ${problemIn(issue)}`;
}

function problemIn(issue: v.BaseIssue<unknown>): string {
  if (issue.input === undefined) return "missing";
  return `${issue.received} is ${issue.kind === "schema" ? `not ${issue.expected}` : issue.message}`;
}

/** Parses JSON text; throws an Error that begins with `not JSON`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`);
  }
}
