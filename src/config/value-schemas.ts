import * as v from "valibot";
import { NAMESPACE_PATTERN } from "../policy/kubernetes/namespace.ts";
import { parseLimit, parseQuantity } from "../policy/kubernetes/quantity.ts";

/** Boolean. */
export const SwitchSchema = v.boolean("is neither true nor false");

/** List of namespaces, or of prefixes followed by `*`. */
export const NamespacePatternsSchema = v.array(
  v.pipe(
    v.string("is not a string"),
    v.regex(NAMESPACE_PATTERN, "is not a namespace, or a prefix followed by *"),
  ),
  "is not a list of namespaces",
);

/** Absolute path. */
export const AbsolutePathSchema = textSchema(/^\//, "is not an absolute path");

/** Folder of a host's root, as a prefix of paths: without a slash at the end. */
export const RootSchema = v.pipe(
  AbsolutePathSchema,
  v.transform((path) => path.replace(/\/+$/, "")),
);

/** Host name or IP address, without scheme and port. */
export const HostSchema = v.pipe(
  v.string("is not a host name or address"),
  v.check(isHost, "is not a host name or address, without scheme, brackets and port"),
);

/** HTTPS URL of a server, without a path. */
export const HttpsUrlSchema = textSchema(
  /^https:\/\/[^/?#@\s]+$/,
  "is not a URL such as https://10.0.0.1:6443",
);

/** Name of a node, as Kubernetes allows it. */
export const NodeNameSchema = textSchema(
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/,
  "is not a node name",
);

/** Kubernetes quantity of bytes, such as `512Mi`, as a number of bytes. */
export const QuantitySchema = scalarSchema(parseQuantity, "is not a quantity of bytes, such as 512Mi");

/** Quantity of bytes, or `max` (Infinity). */
export const LimitSchema = scalarSchema(parseLimit, "is neither a quantity of bytes, such as 8Gi, nor max");

const SECONDS_PER_UNIT: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Duration such as `90s`, `10m` or `2h`, as a number of seconds. */
export const DurationSchema = v.pipe(
  textSchema(/^[1-9]\d{0,5}[smh]$/, "is not a duration such as 90s, 10m or 2h"),
  v.transform((text) => Number.parseInt(text, 10) * (SECONDS_PER_UNIT[text.slice(-1)] ?? 1)),
);

/** Makes the schema of a text of this form. */
export function textSchema(form: RegExp, complaint: string) {
  return v.pipe(v.string(complaint), v.regex(form, complaint));
}

/** Makes the schema of a whole number within limits, both included. */
export function wholeNumberSchema(lowest: number, highest: number) {
  const parse = (text: string) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= lowest && number <= highest ? number : undefined;
  };
  return scalarSchema(parse, `is not a whole number from ${lowest} to ${highest}`);
}

/** Makes the schema of one of several words, in any case; its output has the spelling given here. */
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

// Numbers are numbers in a file, and text in flags and the environment: both are parsed in the same way.
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

// Without node:net, which the hook would have to load for its flags.
function isHost(text: string): boolean {
  const isIpv6 = /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`);
  return isIpv6 || /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/i.test(text);
}
