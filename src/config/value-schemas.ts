import * as v from "valibot";
import { NAMESPACE_PATTERN } from "../policy/kubernetes/namespace.ts";
import { parseLimit, parseQuantity } from "../policy/kubernetes/quantity.ts";

/** Yes or no. */
export const SwitchSchema = v.boolean("is neither true nor false");

/** A list of namespaces: names, or beginnings of names followed by `*`. */
export const NamespacePatternsSchema = v.array(
  v.pipe(
    v.string("is not a text"),
    v.regex(NAMESPACE_PATTERN, "is not a namespace's name, nor the beginning of one followed by *"),
  ),
  "is not a list of namespaces",
);

/** A path that begins at the root. */
export const AbsolutePathSchema = v.pipe(
  v.string("is not an absolute path"),
  v.regex(/^\//, "is not an absolute path"),
);

/** The folder that stands for the host's root, as a prefix: without a slash at the end. */
export const RootSchema = v.pipe(
  AbsolutePathSchema,
  v.transform((path) => path.replace(/\/+$/, "")),
);

/** A name or an address where something listens, without scheme and port. */
export const HostSchema = v.pipe(
  v.string("is not a host's name or address"),
  v.check(isHost, "is not a host's name or address, which stands without scheme, brackets and port"),
);

/** A server's URL of https, without a path. */
export const HttpsUrlSchema = v.pipe(
  v.string("is not a URL such as https://10.0.0.1:6443"),
  v.regex(/^https:\/\/[^/?#@\s]+$/, "is not a URL such as https://10.0.0.1:6443"),
);

/** The name of a node, as Kubernetes names objects. */
export const NodeNameSchema = v.pipe(
  v.string("is not a node's name"),
  v.regex(/^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/, "is not a node's name"),
);

/** A Kubernetes quantity of bytes, such as `512Mi`, as a number of bytes. */
export const QuantitySchema = scalarSchema(parseQuantity, "is not a quantity of bytes, such as 512Mi");

/** A quantity of bytes, or `max` (Infinity). */
export const LimitSchema = scalarSchema(parseLimit, "is neither a quantity of bytes, such as 8Gi, nor max");

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A time such as `90s`, `10m` or `2h`, as a number of seconds. */
export const DurationSchema = v.pipe(
  v.string("is not a time such as 90s, 10m or 2h"),
  v.regex(/^[1-9]\d{0,5}[smh]$/, "is not a time such as 90s, 10m or 2h"),
  v.transform((text) => Number.parseInt(text, 10) * (SECONDS_PER_UNIT[text.slice(-1)] ?? 1)),
);

/** A whole number from one to another, both included. */
export function wholeNumberSchema(lowest: number, highest: number) {
  const parse = (text: string) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= lowest && number <= highest ? number : undefined;
  };
  return scalarSchema(parse, `is not a whole number from ${lowest} to ${highest}`);
}

/** One of several words, however its letters are cased; becomes the word as it is spelled here. */
export function choiceSchema<const Words extends readonly string[]>(words: Words) {
  const canonical = new Map(words.map((word) => [word.toLowerCase(), word]));
  return v.pipe(
    v.unknown(),
    v.transform((value) =>
      typeof value === "string" ? (canonical.get(value.toLowerCase()) ?? value) : value,
    ),
    v.picklist(words),
  );
}

/** What is wrong with a value, and what would be right, in words that begin with the value. */
export function complaintOf(issue: v.BaseIssue<unknown>): string {
  const allowed = issue.expected?.replace(/[()"]/g, "").replaceAll(" | ", ", ");
  const complaint = issue.type === "picklist" ? `is not one of ${allowed}` : issue.message;
  if (issue.input === undefined) return complaint;
  return `${typeof issue.input === "number" ? issue.input : shortened(JSON.stringify(issue.input))} ${complaint}`;
}

/** Where in a structured value it is wrong, as in `[1].allOf[0].signal`; a list of words needs no telling. */
export function pathOf({ path }: v.BaseIssue<unknown>): string {
  const steps = (path ?? []).map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  // The value itself tells which of a list of words it is.
  return steps.length === 1 && typeof path?.[0]?.key === "number" ? "" : steps.join("");
}

/**
 * The flag that sets a knob: `--swap-behavior` for `swapBehavior`. A list's is the singular, given once a value; one in
 * bytes takes a quantity, so that its flag names no unit.
 */
export function flagName(knob: string): string {
  const kebab = fieldName(knob).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return kebab.replace(/namespaces$/, "namespace");
}

/** The field of the configuration file that sets a knob; one in bytes takes a quantity, and names no unit. */
export function fieldName(knob: string): string {
  return knob.replace(/Bytes$/, "");
}

// A file gives numbers as such, flags and the environment give text: both are read in the same way.
function scalarSchema(parse: (text: string) => number | undefined, complaint: string) {
  return v.pipe(
    v.unknown(),
    v.rawTransform(({ dataset: { value }, addIssue, NEVER }): number => {
      const isScalar = typeof value === "string" || typeof value === "number";
      const parsed = isScalar ? parse(String(value)) : undefined;
      if (parsed !== undefined) return parsed;
      addIssue({ message: complaint });
      return NEVER;
    }),
  );
}

const MAX_SHOWN_CHARACTERS = 200;

function shortened(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}

// Not by node:net, which the hook would load with its flags.
function isHost(text: string): boolean {
  const isIpv6 = /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`);
  return isIpv6 || /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i.test(text);
}
