/**
 * Snapshots of nodes that have booted, so that each test file starts in seconds from a clean node of its own.
 *
 * A snapshot is an overlay on the image's disk, and the memory that belongs to it. Guests only read both, so that many can
 * start from one at once.
 */
import { exists } from "node:fs/promises";
import { basename, join } from "node:path";
import { WASP } from "../node/binary.ts";
import { cached, cacheKey } from "./cache.ts";
import { podmanRun, runtimes } from "./container.ts";
import { importImageScript, importImages } from "./containerd.ts";
import { Guest } from "./guest.ts";
import { execute } from "./host-command.ts";
import { type GuestImage, guestImage } from "./image.ts";
import { machineCommand } from "./machine.ts";
import { removeKubepods } from "./node-pods.ts";
import { oomScoreAdjOf32MiB, podSlices } from "./pods.ts";
import { snapshotDisk } from "./snapshot-files.ts";

/** A node's image, and the snapshot on it, as a folder inside the chroot. */
export interface NodeSnapshot {
  readonly image: GuestImage;
  readonly snapshot: string;
}

const REPOSITORY = join(import.meta.dir, "../..");
const HOOK_DEFINITION = "hooks.d/wasp-swap.json";
const MEMORY_MIB = 2048;
const ATTEMPTS = 3;
/** Container that podman runs before the snapshot, because its first one initialises podman's storage. */
const FIRST_CONTAINER = { cgroupParent: podSlices.Burstable, oomScoreAdj: oomScoreAdjOf32MiB };

/** Incremented when a snapshot's preparation changes without a change of its key. */
const VERSION = 4;

/** Returns the snapshot of a node with the built executable and its hook; makes it first if it does not exist. */
export async function nodeSnapshot(): Promise<NodeSnapshot> {
  if (!(await exists(WASP))) throw new Error(`${WASP} does not exist: build it first, with bun build.ts`);
  const image = await guestImage();
  const booted = await bootedSnapshot(image);
  const files = [WASP, join(REPOSITORY, HOOK_DEFINITION)];
  const key = cacheKey([basename(booted), ...(await Promise.all(files.map(digest)))]);
  const snapshot = await made(image, `wasp-${key}`, {
    on: booted,
    prepare: async (guest) => {
      // In this order: podman leaves out a hook whose executable does not exist.
      await guest.push(WASP, "/usr/local/bin/wasp");
      await guest.push(
        join(REPOSITORY, HOOK_DEFINITION),
        `/usr/share/containers/oci/${HOOK_DEFINITION}`,
        0o644,
      );
    },
  });
  return { image, snapshot };
}

/** Returns the snapshot of a node that has booted, with the images of its containerds, and podman's storage. */
async function bootedSnapshot(image: GuestImage): Promise<string> {
  const key = cacheKey([VERSION, machineCommand(image, MEMORY_MIB), importImageScript]);
  return await made(image, `booted-${key}`, {
    prepare: async (guest) => {
      await importImages(guest);
      // containerd 2 serves NRI, and leaves its socket: it would look as if the node's containerd did.
      await guest.must("rm --recursive --force /run/nri");
      for (const runtime of runtimes) await guest.must(podmanRun(runtime, FIRST_CONTAINER, ["--rm"], "true"));
      await guest.must(removeKubepods);
    },
  });
}

/** Preparation of a snapshot. */
interface Preparation {
  /** Snapshot that it continues; it boots by default. */
  readonly on?: string;
  readonly prepare: (guest: Guest) => Promise<void>;
}

async function made(image: GuestImage, name: string, preparation: Preparation): Promise<string> {
  const { emulator, snapshots } = image;
  await cached({
    ...{ parent: join(emulator, snapshots), name },
    make: async (draft) => {
      for (let attempt = 1; ; attempt++) {
        try {
          await record(image, `${snapshots}/${basename(draft)}`, preparation);
          return;
        } catch (error) {
          if (attempt >= ATTEMPTS) throw error;
          console.warn(`attempt ${attempt} of ${ATTEMPTS} to make a snapshot failed: ${error}`);
        }
      }
    },
  });
  return `${snapshots}/${name}`;
}

async function record(image: GuestImage, recording: string, { on, prepare }: Preparation): Promise<void> {
  // Another one for each attempt: a guest that has died leaves a file system that nothing repairs.
  const base = on === undefined ? ["-F", "raw", "-b", image.disk] : ["-F", "qcow2", "-b", snapshotDisk(on)];
  const create = ["qemu-img", "create", "-q", "-f", "qcow2", ...base, snapshotDisk(recording)];
  await execute("chroot", image.emulator, ...create);
  const options = { recording, ...(on !== undefined && { snapshot: on }), attempts: 1 };
  await using guest = await Guest.start(image, options);
  await prepare(guest);
  await guest.save();
}

async function digest(file: string): Promise<string> {
  return new Bun.CryptoHasher("sha256").update(await Bun.file(file).arrayBuffer()).digest("hex");
}
