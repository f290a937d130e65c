/** Recordings of a node's pressure, and the kubelet's eviction rule evaluated on them. */
import type { Snapshot } from "../../src/policy/eviction/snapshot.ts";
import { decodeTrace } from "../../src/trace/decode.ts";
import type { Guest } from "./guest.ts";

const MIB = 2 ** 20;
/** Eviction threshold in the fake kubelet's configuration. */
const THRESHOLD_BYTES = 100 * MIB;
const UNIT = "pressure-recording.service";
const RECORDING = "/root/pressure.jsonl";

/** Starts to record the node, without its containers' figures. */
export async function startRecording(guest: Guest): Promise<void> {
  await guest.must(`rm --force ${RECORDING}; echo '{"kind":"PodList","apiVersion":"v1","items":[]}' > /root/none.json
    systemd-run --quiet --collect --unit=${UNIT} wasp trace record --pods-file /root/none.json --output ${RECORDING}`);
}

/** Ends the recording, and returns its snapshots. */
export async function stopRecording(guest: Guest): Promise<Snapshot[]> {
  await guest.must(`systemctl stop ${UNIT}`);
  const lines = (await guest.must(`cat ${RECORDING}`)).split("\n");
  return await Array.fromAsync(decodeTrace(lines));
}

/** Memory and swap of the node in the course of a recording. */
export interface Course {
  /** Minimum of the value that the kubelet compares with its threshold. */
  readonly leastAvailableMib: number;
  /** Used part of the swap when the kubelet would have evicted, from 0 to 1; undefined if it would not have. */
  readonly swapUsedAtEviction: number | undefined;
  readonly mostSwapUsed: number;
}

/** Evaluates a recording by the kubelet's rule: the limit of all pods less their working set, against the threshold. */
export function courseOf(snapshots: readonly Snapshot[]): Course {
  const moments = snapshots.flatMap(({ node: { swapTotalBytes, swapFreeBytes }, kubepods }) => {
    if (kubepods === undefined) return [];
    const availableBytes = kubepods.memoryMaxBytes - (kubepods.memoryBytes - kubepods.inactiveFileBytes);
    return [{ availableBytes, swapUsed: 1 - swapFreeBytes / swapTotalBytes }];
  });
  const evicting = moments.find(({ availableBytes }) => availableBytes < THRESHOLD_BYTES);
  return {
    leastAvailableMib: Math.round(Math.min(...moments.map(({ availableBytes }) => availableBytes)) / MIB),
    swapUsedAtEviction: evicting?.swapUsed,
    mostSwapUsed: Math.max(...moments.map(({ swapUsed }) => swapUsed)),
  };
}
