import type * as v from "valibot";
import { flagName } from "./knob-names.ts";
import { nearestName } from "./nearest.ts";

/** Describes an invalid value and the valid ones, after the value itself: `"yes" is neither true nor false`. */
export function complaintOf(issue: v.BaseIssue<unknown>): string {
  const allowed = issue.expected?.replace(/[()"]/g, "").replaceAll(" | ", ", ");
  const complaint = issue.type === "picklist" ? `is not one of ${allowed}` : issue.message;
  if (issue.input === undefined) return complaint;
  return `${typeof issue.input === "number" ? issue.input : shortened(JSON.stringify(issue.input))} ${complaint}`;
}

/** Describes an invalid value of a command's flag: `--parallel: "0" is not a whole number from 1 to 100`. */
export function flagComplaint(issue: v.BaseIssue<unknown>): string {
  return `--${flagName(String(issue.path?.[0]?.key))}: ${complaintOf(issue)}`;
}

/** Returns the path of an invalid part of a structured value, as in `[1].allOf[0].signal`; empty in a list of words. */
export function pathOf({ path }: v.BaseIssue<unknown>): string {
  const steps = (path ?? []).map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  // The complaint quotes the word itself.
  return steps.length === 1 && typeof path?.[0]?.key === "number" ? "" : steps.join("");
}

/** Describes a field that does not exist. */
export function unknownField(name: string, names: readonly string[]): string {
  return `unknown field ${JSON.stringify(name)}: ${hintAt(name, names, "The fields are")}`;
}

/** Lists the valid names after a title, and first the one that a mistyped name most likely stands for. */
export function hintAt(name: string, names: readonly string[], title: string): string {
  const nearest = nearestName(name, names);
  return `${nearest === undefined ? "" : `did you mean ${nearest}? `}${title} ${names.join(", ")}`;
}

const MAX_SHOWN_CHARACTERS = 100;

/** Cuts a value's text to a length that fits in a complaint. */
export function shortened(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}...`;
}
