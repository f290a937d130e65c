/**
 * The node that all test files of a run share, with wasp on it as on a real one.
 *
 * bun loads a module once for all files of a run, but a module's afterAll is that of the file that loaded it first.
 * bunfig.toml therefore preloads this one: only a preload's afterAll waits for the last file.
 */
import { afterAll } from "bun:test";
import { exists } from "node:fs/promises";
import { join } from "node:path";
import { bootGuest, type Guest } from "./guest.ts";
import { guestImage } from "./image.ts";

const repository = join(import.meta.dir, "../..");

let booting: Promise<Guest> | undefined;

/**
 * Returns the node, booted at the first call. To be awaited at the top of a test file, where no time-out can cut the
 * building of the image short.
 */
export function sharedGuest(): Promise<Guest> {
  booting ??= bootNode();
  return booting;
}

afterAll(async () => {
  const [booted] = await Promise.allSettled([booting]);
  if (booted.status === "fulfilled") await booted.value?.stop();
});

async function bootNode(): Promise<Guest> {
  const program = join(repository, "dist/wasp");
  if (!(await exists(program))) throw new Error(`${program} is not there: build it first, with bun build.ts`);
  const guest = await bootGuest(await guestImage());
  // In this order: podman leaves out a hook whose program is not there.
  await guest.push(program, "/usr/local/bin/wasp");
  const definition = "hooks.d/wasp-swap.json";
  await guest.push(join(repository, definition), `/usr/share/containers/oci/${definition}`, 0o644);
  return guest;
}
