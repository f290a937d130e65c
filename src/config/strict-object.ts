import * as v from "valibot";
import { hintAt } from "./complaint.ts";

/** Makes the schema of an object with these fields and no others; `title` names the object in complaints. */
export function strictObjectSchema<const Entries extends v.ObjectEntries>(title: string, entries: Entries) {
  const fields = Object.keys(entries);
  return v.strictObject(entries, ({ expected, received, input }) => {
    if (expected === "never")
      return `is an unknown field: ${hintAt(String(input), fields, "The fields are")}`;
    return received === "undefined" ? "missing" : `is not ${title}: its fields are ${fields.join(", ")}`;
  });
}
