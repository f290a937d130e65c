/**
 * Files that a test node boots from: a trixie QEMU in a folder to chroot into, and in it a kernel, an initrd and a root disk.
 *
 * Built once per recipe with mmdebstrap and kept outside of the tree.
 */
import { chmod, copyFile, mkdir, readdir, rename, rm, symlink, truncate } from "node:fs/promises";
import { basename, join } from "node:path";
import { cached, cacheFolder, cacheKey } from "./cache.ts";
import { execute } from "./host-command.ts";
import {
  containerFolders,
  containerRootfs,
  disabledUnits,
  diskBytes,
  emulatorPackages,
  enabledUnits,
  guestFiles,
  guestPackages,
  initrdModules,
  initrdScript,
  leftOutPaths,
  maskedGenerators,
  maskedUnits,
  nextContainerd,
  recipe,
  suite,
  swapBytes,
} from "./image-recipe.ts";

/** Everything that a guest boots from. */
export interface GuestImage {
  /** Folder to chroot into before QEMU is started. */
  readonly emulator: string;
  /** A kubectl that runs on the host. */
  readonly kubectl: string;
  /** Kernel, as a path inside the chroot. */
  readonly kernel: string;
  /** Initrd, as a path inside the chroot. */
  readonly initrd: string;
  /** Root disk, as a path inside the chroot; it is never written to. */
  readonly disk: string;
  /** Private SSH key that the guest's root accepts. */
  readonly key: string;
  /** Folder for snapshots of guests, as a path inside the chroot. */
  readonly snapshots: string;
}

/** Debian packages that the host needs to build an image and to boot it. */
export const hostPackages = [
  "debian-archive-keyring",
  "e2fsprogs",
  "mmdebstrap",
  "openssh-client",
  "util-linux",
  "xz-utils",
] as const;

const BLOCK_BYTES = 4096;

/** Returns the recipe's image from the cache; builds it first if it does not exist. */
export async function guestImage(): Promise<GuestImage> {
  const folder = await cached({ parent: cacheFolder(), name: cacheKey(recipe), make: build });
  return {
    emulator: join(folder, "emulator"),
    kubectl: join(folder, "emulator/usr/bin/kubectl"),
    kernel: "/guest/vmlinuz",
    initrd: "/guest/initrd.img",
    disk: "/guest/disk.img",
    key: join(folder, "key"),
    snapshots: "/guest/snapshots",
  };
}

async function build(folder: string): Promise<void> {
  const emulator = join(folder, "emulator");
  const guest = join(folder, "guest");
  const key = join(folder, "key");
  await execute("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "wasp", "-f", key);
  await debootstrap("apt", emulatorPackages, emulator);
  await debootstrap("minbase", guestPackages, guest);
  await mkdir(join(emulator, "guest"));
  await addNextContainerd(guest, join(folder, "containerd"));
  await makeInitrd(guest, join(emulator, "guest/initrd.img"));
  await moveKernel(guest, join(emulator, "guest/vmlinuz"));
  await configure(guest, `${key}.pub`);
  await makeContainerRootfs(guest);
  await makeDisk(guest, join(emulator, "guest/disk.img"));
  await rm(guest, { recursive: true });
}

async function addNextContainerd(guest: string, draft: string): Promise<void> {
  const { suite, files, folder } = nextContainerd;
  // Nothing else of the other suite is copied into the guest.
  await debootstrap("extract", ["containerd"], draft, suite);
  await mkdir(join(guest, folder), { recursive: true });
  for (const file of files) await copyFile(join(draft, file), join(guest, folder, basename(file)));
  await rm(draft, { recursive: true });
}

async function debootstrap(
  variant: string,
  packages: string[],
  folder: string,
  from: string = suite,
): Promise<void> {
  await execute(
    // In namespaces, so that its mounts and processes end with this process in any case.
    ...["setpriv", "--pdeathsig", "KILL"],
    ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
    ...["mmdebstrap", `--variant=${variant}`, `--include=${packages.join(",")}`],
    ...(await hostAptSettings()).map((setting) => `--aptopt=${setting}`),
    ...leftOutPaths.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...[from, folder, `deb ${await hostMirror()} ${from} main`],
  );
}

async function hostMirror(): Promise<string> {
  const format = ["--format", "$(REPO_URI)"];
  const filters = ["Identifier: Packages", "Origin: Debian", "Label: Debian"];
  const [mirror] = (await execute("apt-get", "indextargets", ...format, ...filters)).split("\n");
  if (!mirror) throw new Error("apt has no Debian mirror on this host: run apt-get update");
  return mirror;
}

/** Returns the host's apt settings that access to the mirror depends on: proxies and date checks. */
async function hostAptSettings(): Promise<string[]> {
  const settings = (await execute("apt-config", "dump")).split("\n");
  return settings.filter((setting) => /^Acquire::(https?|Check-Date|Check-Valid-Until)\b/.test(setting));
}

async function makeInitrd(guest: string, path: string): Promise<void> {
  const folder = join(guest, "initrd");
  for (const name of ["bin", "dev", "modules", "root"]) await mkdir(join(folder, name), { recursive: true });
  await copyFile(join(guest, "bin/busybox"), join(folder, "bin/busybox"));
  await Bun.write(join(folder, "init"), initrdScript);
  for (const name of ["bin/busybox", "init"]) await chmod(join(folder, name), 0o755);
  for (const name of initrdModules) {
    const found = await execute("find", join(guest, "usr/lib/modules"), "-name", `${name}.ko.xz`);
    const module = join(folder, `modules/${name}.ko`);
    await copyFile(found.trim(), `${module}.xz`);
    await execute("xz", "--decompress", `${module}.xz`);
  }
  const pack = "cd /initrd && find . | busybox cpio -o -H newc > /packed-initrd";
  await execute("chroot", guest, "sh", "-c", pack);
  await rename(join(guest, "packed-initrd"), path);
  await rm(folder, { recursive: true });
}

async function moveKernel(guest: string, path: string): Promise<void> {
  const boot = join(guest, "boot");
  const kernel = (await readdir(boot)).find((name) => name.startsWith("vmlinuz-"));
  if (!kernel) throw new Error(`no kernel in ${boot}`);
  await rename(join(boot, kernel), path);
  for (const name of await readdir(boot)) {
    if (!name.startsWith("config-")) await rm(join(boot, name), { recursive: true });
  }
}

async function configure(guest: string, publicKey: string): Promise<void> {
  for (const [path, text] of Object.entries(guestFiles)) await Bun.write(join(guest, path), text);
  await mkdir(join(guest, "root/.ssh"), { recursive: true, mode: 0o700 });
  await copyFile(publicKey, join(guest, "root/.ssh/authorized_keys"));
  await execute("chroot", guest, "systemctl", "enable", ...enabledUnits);
  await execute("chroot", guest, "systemctl", "disable", ...disabledUnits);
  await execute("chroot", guest, "systemctl", "mask", ...maskedUnits);
  const generators = join(guest, "etc/systemd/system-generators");
  await mkdir(generators, { recursive: true });
  for (const name of maskedGenerators) await symlink("/dev/null", join(generators, name));
}

async function makeContainerRootfs(guest: string): Promise<void> {
  const rootfs = join(guest, containerRootfs);
  for (const name of containerFolders) await mkdir(join(rootfs, name), { recursive: true });
  await copyFile(join(guest, "bin/busybox"), join(rootfs, "bin/busybox"));
  await chmod(join(rootfs, "bin/busybox"), 0o755);
  const applets = (await execute("chroot", guest, "busybox", "--list")).trim().split("\n");
  for (const applet of applets) {
    if (applet !== "busybox") await symlink("busybox", join(rootfs, "bin", applet));
  }
}

async function makeDisk(guest: string, disk: string): Promise<void> {
  const swap = join(guest, "swapfile");
  await Bun.write(swap, "");
  await chmod(swap, 0o600);
  await truncate(swap, swapBytes);
  await execute("mkswap", swap);
  const features = "^has_journal,^metadata_csum";
  const noLaterWork = "lazy_itable_init=0,nodiscard";
  const size = `${diskBytes / BLOCK_BYTES}`;
  const layout = ["-t", "ext4", "-b", `${BLOCK_BYTES}`, "-m", "0", "-O", features, "-E", noLaterWork];
  await execute("mke2fs", "-q", ...layout, "-d", guest, disk, size);
  // mke2fs leaves holes where a file is zero, and the kernel does not swap to a file with holes.
  await execute("debugfs", "-w", "-R", `fallocate /swapfile 0 ${swapBytes / BLOCK_BYTES - 1}`, disk);
}
