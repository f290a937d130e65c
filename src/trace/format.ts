// A recording is text, one JSON object a line; values have the names of policy/eviction/snapshot.ts.
//
//   {"trace": "wasp.io/trace/v1", "startedAt": "2026-01-05T10:00:00.000Z", "pageBytes": 4096, "wasp": "0.1.0"}
//   {"at": 0, "pods": [...]}                                     after each change; none at first
//   {"at": 0, "node": {...}, "kubepods": {...}, "containers": [{"id": ..., ...}], "gone": [id, ...],    each second
//    "podSamples": [{"podUid": ..., ...}], "gonePods": [podUid, ...]}
//
// `at` is in seconds from the start, of a monotonic clock. A line has only those values of a container that differ from
// the last line; containers that are not in it are unchanged. One in `gone` and in `containers` has only the values given
// there. The same holds for the pods' own cgroups: `podSamples` and `gonePods`. A limit of Infinity is "max". Undefined
// values are omitted, and so are empty lists. Recordings of before have no `podSamples`.
//
// Readers ignore unknown keys, so keys may be added; a change of a key's meaning needs a new version.

/** Format and version in the first line of a recording. */
export const TRACE_VERSION = "wasp.io/trace/v1";

/** First line of a recording. */
export interface TraceHeader {
  readonly trace: typeof TRACE_VERSION;
  /** Start of the recording, in RFC 3339 and UTC. */
  readonly startedAt: string;
  /** Page size of the recorded node's kernel. */
  readonly pageBytes: number;
  /** Version of the wasp that made the recording. */
  readonly wasp: string;
}
