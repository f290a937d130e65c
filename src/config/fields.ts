import * as v from "valibot";
import { nearestName } from "./nearest.ts";

/** An object of these fields, and no others; what is what a complaint calls it. */
export function fieldsSchema<const Entries extends v.ObjectEntries>(what: string, entries: Entries) {
  const fields = Object.keys(entries);
  return v.strictObject(entries, ({ expected, received, input }) => {
    if (expected === "never") {
      const meant = nearestName(String(input), fields);
      return `is no field: ${meant === undefined ? "" : `did you mean ${meant}? `}The fields are ${fields.join(", ")}`;
    }
    return received === "undefined" ? "missing" : `is not ${what}: its fields are ${fields.join(", ")}`;
  });
}
