/** The node of a test file, with wasp on it as on a real one. */
import { afterAll, setDefaultTimeout } from "bun:test";
import { patience } from "../patience.ts";
import { Guest } from "./guest.ts";
import { nodeSnapshot } from "./snapshot.ts";

/** Longer than every time-out in the guest, each of which fails with a reason. */
const TEST_SECONDS = 600;

/**
 * Starts a node for the test file that calls this, and ends it after the file's last test. To be awaited at the top of the
 * file, where no time-out can interrupt the making of the image.
 */
export async function startNode(): Promise<Guest> {
  setDefaultTimeout(patience(TEST_SECONDS));
  const { image, snapshot } = await nodeSnapshot();
  const guest = await Guest.start(image, { snapshot });
  afterAll(() => guest.stop());
  return guest;
}
