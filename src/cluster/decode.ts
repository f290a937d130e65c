import * as v from "valibot";

/**
 * Decodes what a server sent, JSON text or what it parses to; throws an Error when it is not JSON, or not what the
 * schema and the title say: `not a PodList: kind: missing`.
 */
export function decode<S extends v.GenericSchema>(
  schema: S,
  input: unknown,
  title: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, typeof input === "string" ? parseJson(input) : input);
  if (result.success) return result.output;
  throw new Error(`not ${title}: ${complaint(result.issues[0])}`);
}

/** What is wrong with a value, and in which of its fields. */
export function complaint(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  return field === null ? wrong(issue) : `${field}: ${wrong(issue)}`;
}

function wrong(issue: v.BaseIssue<unknown>): string {
  if (issue.input === undefined) return "missing";
  return `${issue.received} is ${issue.kind === "schema" ? `not ${issue.expected}` : issue.message}`;
}

/** Parses JSON text; throws an Error when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`not JSON: ${(error as Error).message}`);
  }
}
