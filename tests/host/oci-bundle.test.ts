import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvalidState, parseOciState } from "../../src/host/oci-bundle.ts";
import { idIn } from "../../src/host/state-id.ts";
import { recordedContainers } from "../node/recorded.ts";

/** Returns the id that an invalid state still has. */
function idOf(text: string): string | undefined {
  try {
    parseOciState(text);
  } catch (error) {
    if (error instanceof InvalidState) return error.id;
    throw error;
  }
  throw new Error("the state is valid");
}

describe("an invalid state", () => {
  test.each<[string, string, string | undefined]>([
    ["without a pid", '{"id":"a"}', "a"],
    ["whose annotations come first", '{"annotations":{"id":"b"},"id":"a"}', "a"],
    ["cut off after the id", '{"ociVersion":"1.0.2","id": "a.b_c-d+1","pid"', "a.b_c-d+1"],
    ["cut off in the id", '{"ociVersion":"1.0.2","id":"a', undefined],
    ["cut off, with another's id in an annotation", '{"pid":1,"annotations":{"id":"b"', undefined],
    ["cut off, with another's id in a value", '{"x":"{\\"id\\":\\"b\\"}","pid"', undefined],
    ["with an id of other characters", '{"id":"a b","pid"', undefined],
    ["without an id", "{", undefined],
    ["that is empty", "", undefined],
  ])("%s names its container, if it can be known", (_, text, id) => {
    expect(idOf(text)).toBe(id);
  });

  test("names its container wherever a runtime's is cut off behind the id", () => {
    for (const { state } of recordedContainers()) {
      const { id } = JSON.parse(state);
      const from = state.indexOf(id) + id.length + 1;
      fc.assert(
        fc.property(fc.integer({ min: from, max: state.trimEnd().length - 1 }), (length) => {
          expect(idOf(state.slice(0, length))).toBe(id);
          expect(idIn(state.slice(0, length))).toBe(id);
        }),
      );
    }
  });
});
