/** Contents of the guest's image: packages, units and files. */

/** Line on the guest's console once multi-user.target is reached. */
export const readyMarker = "wasp-guest: ready";

/** Debian release of the guest and of its emulator. */
export const suite = "trixie";

/** Programs of the next containerd, which trixie does not have, and their folder in the guest. */
export const nextContainerd = {
  suite: "forky",
  files: ["usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"],
  folder: "opt/containerd-2/bin",
};

/** Folder in the guest with the programs of containerd 2. */
export const nextContainerdFolder = `/${nextContainerd.folder}`;

/** Packages of the folder that QEMU runs in. Debian 12's kubectl does not support kustomize components; this one does. */
export const emulatorPackages = ["kubectl", "qemu-system-x86", "qemu-utils"];

/** Packages of the guest. */
export const guestPackages = [
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

/** Paths of packages that are not installed. */
export const leftOutPaths = [
  "/usr/share/doc/*",
  "/usr/share/info/*",
  "/usr/share/locale/*",
  "/usr/share/man/*",
];

/** Units that systemd starts at boot. */
export const enabledUnits = ["guest-network.service", "guest-ready.service", "ssh.service"];

/** Units that only tests start. */
export const disabledUnits = ["containerd.service", "prometheus.service"];

/** Units that never start. */
export const maskedUnits = [
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

/** Generators that find nothing in the guest: systemd runs all of them at each reload, and emulated they take a second. */
export const maskedGenerators = [
  "podman-system-generator",
  "systemd-debug-generator",
  "systemd-getty-generator",
  "systemd-gpt-auto-generator",
  "systemd-hibernate-resume-generator",
  "systemd-rc-local-generator",
  "systemd-run-generator",
  "systemd-ssh-generator",
  "systemd-system-update-generator",
  "systemd-sysv-generator",
  "systemd-tpm2-generator",
];

/** Root disk's device. It is SCSI because QEMU cannot snapshot NVMe, and Debian's kernel builds neither AHCI nor ATA in. */
const rootDevice = "/dev/sda";

/** Kernel modules that the initrd loads, in this order, to reach the root disk. */
export const initrdModules = ["scsi_common", "scsi_mod", "virtio_scsi", "sd_mod"];

/** First process of the initrd. Busybox mounts the root disk and hands over to systemd. */
export const initrdScript = lines(
  "#!/bin/busybox sh",
  "busybox=/bin/busybox",
  "$busybox mount -t devtmpfs devtmpfs /dev",
  `for module in ${initrdModules.join(" ")}; do $busybox insmod /modules/$module.ko; done`,
  `until [ -b ${rootDevice} ]; do $busybox sleep 0.1; done`,
  `$busybox mount -t ext4 ${rootDevice} /root`,
  "$busybox mount --move /dev /root/dev",
  "exec $busybox switch_root /root /sbin/init",
);

/** Files of the guest, by path. */
export const guestFiles = {
  "etc/hostname": lines("node"),
  "etc/hosts": lines("127.0.0.1 localhost", "127.0.1.1 node"),
  "etc/resolv.conf": lines("nameserver 10.0.2.3"),
  "etc/fstab": lines(`${rootDevice} / ext4 noatime 0 0`, "/swapfile none swap defaults 0 0"),
  // Without a machine ID and the stamps of a finished update, systemd would run its first-boot units.
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
  // udev would rewrite the MAC of veth pairs, which fails the checks of CNI plugins.
  "etc/systemd/network/10-veth.link": lines("[Match]", "Driver=veth", "[Link]", "MACAddressPolicy=none"),
  // A starved emulator takes longer for a step of the boot than the 90 s that systemd waits by default.
  "etc/systemd/system.conf.d/patience.conf": lines(
    "[Manager]",
    "DefaultTimeoutStartSec=15min",
    "DefaultDeviceTimeoutSec=15min",
  ),
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

/** Root file system of the tests' containers, as a path in the guest. */
export const containerRootfs = "/opt/rootfs";

/** Folders of that root file system. */
export const containerFolders = ["bin", "dev", "etc", "mnt", "proc", "run", "sys", "tmp", "var"];

/** Size of the root disk. */
export const diskBytes = 8 * 1024 ** 3;

/** Size of the swap file. */
export const swapBytes = 1024 ** 3;

/** Incremented when `image.ts` changes what it builds from the same recipe. */
const version = 2;

/** Everything that the image depends on; it is the image's key in the cache. */
export const recipe = {
  version,
  suite,
  emulatorPackages,
  guestPackages,
  nextContainerd,
  leftOutPaths,
  initrdModules,
  initrdScript,
  enabledUnits,
  disabledUnits,
  maskedUnits,
  maskedGenerators,
  guestFiles,
  containerRootfs,
  containerFolders,
  diskBytes,
  swapBytes,
};

function lines(...text: string[]): string {
  return text.map((line) => `${line}\n`).join("");
}
