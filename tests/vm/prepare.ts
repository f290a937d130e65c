/** Makes what the tests in this folder start from: `bun tests/vm/prepare.ts`, or its function. */
import { nodeSnapshot } from "./snapshot.ts";

if (import.meta.main) await prepareGuests();

/** Makes the image of the guests and the snapshots of the node, unless they exist. */
export async function prepareGuests(): Promise<void> {
  await nodeSnapshot();
}
