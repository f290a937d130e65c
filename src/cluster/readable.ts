import * as v from "valibot";
import { describeIssue } from "./decode.ts";

/** Value that does not fit its schema: it costs what depends on it, and not the object that it is in. */
export class Unreadable {
  readonly #issue: v.BaseIssue<unknown> | undefined;

  /** Takes the first issue; undefined for a required value that is missing. */
  constructor(issue: v.BaseIssue<unknown> | undefined) {
    this.#issue = issue;
  }

  /** Describes the fault after the path of the field, such as `status.phase: 5 is not string`. */
  describe(field: string): string {
    if (this.#issue === undefined) return `${field}: missing`;
    const below = v.getDotPath(this.#issue);
    return describeIssue(this.#issue, below === null ? field : `${field}.${below}`);
  }
}

/** Makes a schema that accepts any value: one that does not fit becomes an Unreadable. */
export function readable<const S extends v.GenericSchema>(
  schema: S,
): v.GenericSchema<v.InferInput<S>, v.InferOutput<S> | Unreadable> {
  const either = schema as v.GenericSchema<v.InferInput<S>, v.InferOutput<S> | Unreadable>;
  return v.fallback(either, (dataset) => new Unreadable(dataset?.issues?.[0]));
}

/** Makes a schema of a field that may be missing or null, and accepts any other value as `readable` does. */
export function readableIfThere<const S extends v.GenericSchema>(schema: S) {
  return v.nullish(readable(schema));
}

/** Takes values out of a decoded object, and collects the problems of those that are unreadable. */
export class ValueReader {
  readonly #problems: string[];
  readonly #prefix: string;
  /** True once a value was unreadable. */
  hasFailed = false;

  constructor(problems: string[], prefix = "") {
    this.#problems = problems;
    this.#prefix = prefix;
  }

  /** Returns a value; undefined if it is missing, null or unreadable. */
  take<T>(field: string, value: T | Unreadable | null | undefined): T | undefined {
    if (!(value instanceof Unreadable)) return value ?? undefined;
    this.fail(value.describe(field));
    return undefined;
  }

  /** Notes a problem. */
  fail(problem: string): void {
    this.hasFailed = true;
    this.#problems.push(this.#prefix + problem);
  }
}
