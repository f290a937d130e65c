/**
 * The files a test node boots from: a trixie QEMU in a folder to chroot into, and in it a kernel and a root disk.
 *
 * Built once per recipe with mmdebstrap and kept outside the tree. The kernel has its NVMe and ext4 drivers
 * built in, so that a disk on NVMe boots without an initrd.
 */
import {
  chmod,
  copyFile,
  exists,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
} from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";

/** Everything a guest boots from. */
export interface GuestImage {
  /** The folder to chroot into before QEMU is started. */
  emulator: string;
  /** A kubectl that runs on the host. */
  kubectl: string;
  /** The kernel, as a path inside the chroot. */
  kernel: string;
  /** The root disk, as a path inside the chroot, never written to. */
  disk: string;
  /** The private SSH key that the guest's root accepts. */
  key: string;
}

/** The Debian packages that the host needs to build an image and to boot it. */
export const hostPackages = [
  "debian-archive-keyring",
  "e2fsprogs",
  "mmdebstrap",
  "openssh-client",
  "util-linux",
] as const;

/** The line that the guest's console shows once multi-user.target is reached. */
export const readyMarker = "wasp-guest: ready";

const suite = "trixie";

/** The next containerd, which trixie does not have: what of it runs on trixie, and where the guest has that. */
const nextContainerd = {
  suite: "forky",
  files: ["usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"],
  folder: "opt/containerd-2/bin",
};

/** The folder in the guest with the programs of containerd 2. */
export const nextContainerdFolder = `/${nextContainerd.folder}`;

// Debian 12's kubectl knows no components of kustomize; this one runs on such a host too.
const emulatorPackages = ["kubectl", "qemu-system-x86", "qemu-utils"];

const guestPackages = [
  "btrfs-progs",
  "busybox-static",
  "conmon",
  "containerd",
  "crun",
  "cryptsetup-bin",
  "dbus",
  "e2fsprogs",
  "iproute2",
  "jq",
  "kmod",
  "linux-image-cloud-amd64",
  "openssh-server",
  "podman",
  "procps",
  "prometheus",
  "runc",
  "systemd",
  "systemd-sysv",
  "udev",
  "util-linux",
  "xfsprogs",
];

const leftOutPaths = ["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"];

const enabledUnits = ["guest-network.service", "guest-ready.service", "ssh.service"];

const disabledUnits = ["containerd.service", "prometheus.service"];

const maskedUnits = [
  "apt-daily-upgrade.timer",
  "apt-daily.timer",
  "dpkg-db-backup.timer",
  "e2scrub_all.timer",
  "e2scrub_reap.service",
  "fstrim.timer",
  "getty@.service",
  "netavark-dhcp-proxy.socket",
  "netavark-firewalld-reload.service",
  "podman-auto-update.timer",
  "serial-getty@ttyS0.service",
  "sshd-keygen.service",
  "systemd-pstore.service",
];

const guestFiles = {
  "etc/hostname": lines("node"),
  "etc/hosts": lines("127.0.0.1 localhost", "127.0.1.1 node"),
  "etc/resolv.conf": lines("nameserver 10.0.2.3"),
  "etc/fstab": lines("/dev/nvme0n1 / ext4 noatime 0 0", "/swapfile none swap defaults 0 0"),
  // Without an identity, and without the marks of a finished update, systemd treats the boot as a first one.
  "etc/machine-id": lines("77617370000000000000000000000001"),
  "etc/.updated": lines(""),
  "var/.updated": lines(""),
  "etc/ssh/sshd_config": lines(
    "HostKey /etc/ssh/ssh_host_ed25519_key",
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "# PAM would open a systemd session for every connection.",
    "UsePAM no",
    "UseDNS no",
    "MaxSessions 100",
  ),
  "etc/systemd/journald.conf.d/volatile.conf": lines("[Journal]", "Storage=volatile"),
  // udev would rewrite the MAC of veth pairs, which CNI plugins take for a fault.
  "etc/systemd/network/10-veth.link": lines("[Match]", "Driver=veth", "[Link]", "MACAddressPolicy=none"),
  "etc/modules-load.d/guest.conf": lines("overlay", "virtio_net"),
  "etc/systemd/system/guest-network.service": lines(
    "[Unit]",
    "Requires=sys-subsystem-net-devices-eth0.device",
    "After=sys-subsystem-net-devices-eth0.device",
    "Before=network.target",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    "ExecStart=ip address add 10.0.2.15/24 dev eth0",
    "ExecStart=ip link set eth0 up",
    "ExecStart=ip route add default via 10.0.2.2",
    "[Install]",
    "WantedBy=multi-user.target",
  ),
  "etc/systemd/system/guest-ready.service": lines(
    "[Unit]",
    "After=multi-user.target",
    "[Service]",
    "Type=oneshot",
    `ExecStart=echo ${readyMarker}`,
    "StandardOutput=tty",
    "TTYPath=/dev/console",
    "[Install]",
    "WantedBy=multi-user.target",
  ),
};

/** The file system of the containers that tests run, as seen in the guest. */
export const containerRootfs = "/opt/rootfs";

const containerFolders = ["bin", "dev", "etc", "mnt", "proc", "run", "sys", "tmp", "var"];

const diskBytes = 8 * 1024 ** 3;
const swapBytes = 1024 ** 3;
const blockBytes = 4096;

/** Counted up when the steps below come to make something else of the same recipe. */
const version = 1;

const recipe = {
  version,
  suite,
  emulatorPackages,
  guestPackages,
  nextContainerd,
  leftOutPaths,
  enabledUnits,
  disabledUnits,
  maskedUnits,
  guestFiles,
  containerRootfs,
  containerFolders,
  diskBytes,
  swapBytes,
};

/** Returns the image of this recipe from the cache, and builds it first if it is not there. */
export async function guestImage(): Promise<GuestImage> {
  const cache = cacheFolder();
  const key = new Bun.CryptoHasher("sha256").update(JSON.stringify(recipe)).digest("hex");
  const folder = join(cache, key);
  if (!(await exists(folder))) await buildOnce(cache, key);
  return {
    emulator: join(folder, "emulator"),
    kubectl: join(folder, "emulator/usr/bin/kubectl"),
    kernel: "/guest/vmlinuz",
    disk: "/guest/disk.img",
    key: join(folder, "key"),
  };
}

function cacheFolder(): string {
  const { WASP_CACHE, XDG_CACHE_HOME } = process.env;
  return WASP_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "wasp");
}

async function buildOnce(cache: string, key: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  await using _lock = await lock(join(cache, "lock"));
  if (await exists(join(cache, key))) return;
  await removeOthers(cache, (name) => !name.startsWith("build-"));
  const draft = await mkdtemp(join(cache, "build-"));
  try {
    await build(draft);
    await rename(draft, join(cache, key));
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await removeOthers(cache, (name) => name === key || name === "lock");
}

async function removeOthers(folder: string, isKept: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!isKept(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Takes an exclusive lock on a file, given back on disposal or by the kernel when this process ends. */
async function lock(path: string): Promise<AsyncDisposable> {
  // The shell holds the lock until its standard input ends, which this process's death brings about too.
  const holder = Bun.spawn(["flock", path, "sh", "-c", "echo locked; exec cat"], {
    stdin: "pipe",
    stdout: "pipe",
  });
  const { done } = await holder.stdout.getReader().read();
  if (done) throw new Error(`cannot lock ${path}`);
  return {
    async [Symbol.asyncDispose]() {
      await holder.stdin.end();
      await holder.exited;
    },
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
  await moveKernel(guest, join(emulator, "guest/vmlinuz"));
  await configure(guest, `${key}.pub`);
  await makeContainerRootfs(guest);
  await makeDisk(guest, join(emulator, "guest/disk.img"));
  await rm(guest, { recursive: true });
}

async function addNextContainerd(guest: string, draft: string): Promise<void> {
  const { suite, files, folder } = nextContainerd;
  // Of the other suite nothing but these programs gets into the guest.
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
    // In namespaces of its own, so that its mounts and processes end with this process, however that ends.
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
  if (!mirror) throw new Error("apt knows no Debian mirror on this host: run apt-get update");
  return mirror;
}

/** Returns the host's apt settings on which it depends whether the mirror can be read: proxies and date checks. */
async function hostAptSettings(): Promise<string[]> {
  const settings = (await execute("apt-config", "dump")).split("\n");
  return settings.filter((setting) => /^Acquire::(https?|Check-Date|Check-Valid-Until)\b/.test(setting));
}

async function moveKernel(guest: string, path: string): Promise<void> {
  const boot = join(guest, "boot");
  const kernel = (await readdir(boot)).find((name) => name.startsWith("vmlinuz-"));
  if (!kernel) throw new Error(`no kernel in ${boot}`);
  await rename(join(boot, kernel), path);
  await removeOthers(boot, (name) => name.startsWith("config-"));
}

async function configure(guest: string, publicKey: string): Promise<void> {
  for (const [path, text] of Object.entries(guestFiles)) await Bun.write(join(guest, path), text);
  await mkdir(join(guest, "root/.ssh"), { recursive: true, mode: 0o700 });
  await copyFile(publicKey, join(guest, "root/.ssh/authorized_keys"));
  await execute("chroot", guest, "systemctl", "enable", ...enabledUnits);
  await execute("chroot", guest, "systemctl", "disable", ...disabledUnits);
  await execute("chroot", guest, "systemctl", "mask", ...maskedUnits);
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
  const size = `${diskBytes / blockBytes}`;
  const layout = ["-t", "ext4", "-b", `${blockBytes}`, "-m", "0", "-O", features, "-E", noLaterWork];
  await execute("mke2fs", "-q", ...layout, "-d", guest, disk, size);
  // mke2fs leaves holes where a file is zero, and the kernel refuses to swap to a file with holes.
  await execute("debugfs", "-w", "-R", `fallocate /swapfile 0 ${swapBytes / blockBytes - 1}`, disk);
}

async function execute(...command: string[]): Promise<string> {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
  return stdout;
}

function lines(...text: string[]): string {
  return text.map((line) => `${line}\n`).join("");
}
