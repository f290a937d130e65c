// A recording is text, one JSON object a line; figures have the names that they have in policy/snapshot.ts.
//
//   {"trace": "wasp.io/trace/v1", "startedAt": "2026-01-05T10:00:00.000Z", "pageBytes": 4096, "wasp": "0.1.0"}
//   {"at": 0, "pods": [...]}                                     whenever they are others than before, none at first
//   {"at": 0, "node": {...}, "kubepods": {...}, "containers": [{"id": ..., ...}], "gone": [id, ...]}    each second
//
// `at` counts seconds from the beginning, by a clock that never jumps. Of a container only those figures stand in a
// line that are others than in the last one; containers that are not in it are as they were. A limit that is none is
// "max". What was undefined is left out, `containers` and `gone` too where they are empty.
//
// Readers ignore keys that they do not know, so that more may come; what changes a key's meaning is another version.

/** What the first line of a recording says that it is. */
export const TRACE_VERSION = "wasp.io/trace/v1";

/** The first line of a recording. */
export interface TraceHeader {
  readonly trace: typeof TRACE_VERSION;
  /** When it began, in RFC 3339 and UTC. */
  readonly startedAt: string;
  /** How large the kernel's pages were. */
  readonly pageBytes: number;
  /** The version of the wasp that recorded it. */
  readonly wasp: string;
}
