import * as v from "valibot";
import { parseQuantity } from "../policy/bytes.ts";
import { NAMESPACE_PATTERN } from "../policy/namespace.ts";

/** A namespace's name, or the beginning of one followed by `*`. */
export const NamespacePatternSchema = v.pipe(
  v.string(),
  v.regex(NAMESPACE_PATTERN, "is not a namespace's name, nor the beginning of one followed by *"),
);

/** A path that begins at the root. */
export const AbsolutePathSchema = v.pipe(v.string(), v.regex(/^\//, "is not an absolute path"));

/** A Kubernetes quantity of bytes, such as `512Mi`, as a number of bytes. */
export const QuantitySchema = v.pipe(
  v.string(),
  v.check((text) => parseQuantity(text) !== undefined, "is not a quantity of bytes, such as 512Mi"),
  v.transform((text) => parseQuantity(text) ?? 0),
);

/** The folder that stands for the host's root, as a prefix: without a slash at the end. */
export const RootSchema = v.pipe(
  AbsolutePathSchema,
  v.transform((path) => path.replace(/\/+$/, "")),
);

/** What is wrong with a value, and what would be right, in words that follow the value. */
export function complaintOf(issue: v.BaseIssue<unknown>): string {
  const allowed = issue.expected?.replace(/[()"]/g, "").replaceAll(" | ", ", ");
  return issue.type === "regex" || issue.type === "check" ? issue.message : `is not one of ${allowed}`;
}

/**
 * The flag that sets a knob: `--swap-behavior` for `swapBehavior`. A list's is the singular, given once a value; one in
 * bytes takes a quantity, so that its flag names no unit.
 */
export function flagName(knob: string): string {
  const kebab = knob.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return kebab.replace(/namespaces$/, "namespace").replace(/-bytes$/, "");
}
