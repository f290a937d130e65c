import * as v from "valibot";
import { suggestionFor } from "./nearest.ts";

/** An object of these fields, and no others; what is what a complaint calls it. */
export function fieldsSchema<const Entries extends v.ObjectEntries>(what: string, entries: Entries) {
  const fields = Object.keys(entries);
  return v.strictObject(entries, ({ expected, received, input }) => {
    if (expected === "never")
      return `is no field: ${suggestionFor(String(input), fields)}The fields are ${fields.join(", ")}`;
    return received === "undefined" ? "missing" : `is not ${what}: its fields are ${fields.join(", ")}`;
  });
}
