/** What can be wrong on a node among its services, and what wasp install --check has to say of it. */
import type { FindingId, Severity } from "../../src/install/finding/finding.ts";
import { quote } from "./guest.ts";
import { KUBELET_FOLDER as KUBELET, RUN_AGENT } from "./node-services.ts";

/** What a check is to say. */
export interface Complaint {
  readonly id: FindingId;
  readonly severity: Severity;
  /** What is in the text of what was found. */
  readonly found: string;
  /** What is in the remedy: a command that mends it, where the breakage says nothing else. */
  readonly remedy?: string;
}

/** Something that is made wrong. */
export interface Breakage {
  /** A script. */
  readonly breaks: string;
  readonly complaints: readonly Complaint[];
  /** A script, where the remedy is not one that can be run as it is told. */
  readonly mends?: string;
}

const HOOKS = "/usr/share/containers/oci/hooks.d";
const HOOK = `${HOOKS}/wasp-swap.json`;
const BINARY = "/usr/local/bin/wasp";
const SWAP_FILE = "/var/lib/wasp/swapfile";
const POD = "/sys/fs/cgroup/kubepods.slice";

const install = (flags: string) => `wasp install --only ${flags}`;

const LOAD_HOOK = install("hook --only cri-o --restart");
const RESTART_CRIO = "systemctl restart crio";

/** Things that can be wrong at once, each with what the check says of it. */
export const breakages: Readonly<Record<string, readonly Breakage[]>> = {
  "swap, and who may change what": [
    {
      breaks: "swapoff --all",
      complaints: [
        {
          id: "swap",
          severity: "error",
          found: `no swap is on, and ${SWAP_FILE} is to be`,
          remedy: "systemctl start swap.target",
        },
      ],
    },
    {
      breaks: "sysctl --quiet vm.swappiness=0",
      complaints: [
        { id: "swappiness", severity: "warning", found: "is 0", remedy: "sysctl vm.swappiness=60" },
      ],
    },
    {
      breaks: `chmod o+w ${BINARY}`,
      complaints: [
        {
          id: "binary-owner",
          severity: "error",
          found: `${BINARY} is writable by everybody`,
          remedy: `chown root:root ${BINARY} && chmod go-w ${BINARY}`,
        },
        { id: "binary", severity: "unknown", found: "was not run", remedy: install("binary") },
      ],
      mends: `chown root:root ${BINARY} && chmod go-w ${BINARY}`,
    },
    {
      breaks: `chown 1000 ${HOOK}`,
      complaints: [
        {
          id: "hook-owner",
          severity: "error",
          found: `${HOOK} is owned by user 1000`,
          remedy: `chown root:root ${HOOK} && chmod go-w ${HOOK}`,
        },
      ],
    },
    {
      breaks: "pkill flock",
      complaints: [{ id: "agent", severity: "warning", found: "no agent runs", remedy: "kubectl apply" }],
      mends: RUN_AGENT,
    },
    {
      breaks: `echo '{' > ${HOOKS}/theirs.json`,
      complaints: [
        {
          id: "hooks-valid",
          severity: "error",
          found: `${HOOKS}/theirs.json`,
          remedy: `correct or remove ${HOOKS}/theirs.json`,
        },
      ],
      mends: `rm ${HOOKS}/theirs.json`,
    },
    {
      breaks: `sed 's|/usr/local/bin/wasp|/opt/hook|; s/"wasp", //' ${HOOK} > ${HOOKS}/swap-for-burstable.json`,
      complaints: [
        {
          id: "wasp-agent",
          severity: "error",
          found: `${HOOKS}/swap-for-burstable.json`,
          remedy: `rm ${HOOKS}/swap-for-burstable.json`,
        },
      ],
    },
  ],
  "the hook's definition, and system.slice": [
    {
      breaks: `chmod a-x ${BINARY}`,
      complaints: [{ id: "binary", severity: "error", found: "does not run", remedy: install("binary") }],
    },
    {
      breaks: `truncate --size=100 ${HOOK}`,
      complaints: [{ id: "hook", severity: "error", found: HOOK, remedy: install("hook") }],
    },
    {
      breaks: `rm /etc/systemd/system/system.slice.d/50-wasp.conf
        echo max > /sys/fs/cgroup/system.slice/memory.swap.max`,
      complaints: [
        { id: "system-slice", severity: "warning", found: "is max", remedy: install("system-slice") },
        {
          id: "system-slice-after-boot",
          severity: "warning",
          found: "no file of system.slice sets MemorySwapMax",
          remedy: install("system-slice"),
        },
        {
          id: "io-latency-after-boot",
          severity: "warning",
          found: "no file of system.slice that lasts sets IODeviceLatencyTargetSec",
          remedy: install("system-slice"),
        },
      ],
    },
    {
      breaks: "systemctl start earlyoom",
      complaints: [
        {
          id: "earlyoom",
          severity: "warning",
          found: "earlyoom runs: pid ",
          remedy: "systemctl disable --now earlyoom",
        },
      ],
    },
    {
      breaks: `mkdir /run/systemd/system/kubepods.slice.d
        printf '[Slice]\\nManagedOOMSwap=kill\\n' > /run/systemd/system/kubepods.slice.d/oomd.conf
        systemctl daemon-reload
        systemctl start systemd-oomd`,
      complaints: [
        {
          id: "systemd-oomd",
          severity: "warning",
          found: "ManagedOOMSwap=kill for kubepods.slice",
          remedy: "systemctl mask --now systemd-oomd",
        },
      ],
      mends: `systemctl mask --now systemd-oomd
        wasp install --check | grep --extended-regexp --quiet '^ok +systemd-oomd'
        rm --recursive /run/systemd/system/kubepods.slice.d
        systemctl unmask systemd-oomd`,
    },
  ],
  "a hook that runs nothing, and what the kubelet is told": [
    {
      breaks: `sed --in-place 's|"path": ".*"|"path": "/usr/local/bin/gone"|' ${HOOK}`,
      complaints: [
        {
          id: "hook",
          severity: "error",
          found: "its executable /usr/local/bin/gone is not there, so the runtime silently ignores it",
          remedy: install("hook"),
        },
        { id: "binary", severity: "error", found: "/usr/local/bin/gone is not there" },
      ],
    },
    {
      breaks: `rm ${KUBELET}/conf.d/50-wasp.conf`,
      complaints: [
        {
          id: "kubelet-fail-swap-on",
          severity: "error",
          found: "failSwapOn is true, its default",
          remedy: install("kubelet --restart"),
        },
      ],
    },
    {
      breaks: `printf 'memorySwap:\\n  swapBehavior: LimitedSwap\\n' > ${KUBELET}/conf.d/theirs.conf`,
      complaints: [
        {
          id: "kubelet-swap-behavior",
          severity: "warning",
          found: "swapBehavior is LimitedSwap",
          remedy: "memorySwap: { swapBehavior: NoSwap }",
        },
        {
          id: "restart",
          severity: "warning",
          found: `${KUBELET}/conf.d/theirs.conf is newer than kubelet's start`,
          remedy: "systemctl restart kubelet",
        },
      ],
      mends: `echo 'memorySwap: { swapBehavior: NoSwap }' > ${KUBELET}/conf.d/theirs.conf
        systemctl restart kubelet`,
    },
  ],
  "swap of others, and CRI-O's folders of hooks": [
    {
      breaks: `mkdir -p /etc/crio/crio.conf.d
        printf '[crio.runtime]\\nhooks_dir = ["/srv"]\\n' > /etc/crio/crio.conf.d/00-theirs.conf`,
      complaints: [
        {
          id: "hook-loaded",
          severity: "error",
          found: `${HOOK} is not in a folder of hooks_dir: /srv`,
          remedy: LOAD_HOOK,
        },
        {
          id: "restart",
          severity: "warning",
          found: "/etc/crio/crio.conf.d/00-theirs.conf is newer than crio's start",
          remedy: RESTART_CRIO,
        },
      ],
      mends: `${LOAD_HOOK}
        ${RESTART_CRIO}
        wasp install --check | grep --extended-regexp --quiet '^ok +hook-loaded'
        rm --recursive /etc/crio
        ${RESTART_CRIO}
        ${install("hook")}`,
    },
    {
      breaks: `modprobe zram num_devices=1
        echo 4G > /sys/block/zram0/disksize
        mkswap --quiet /dev/zram0
        swapon /dev/zram0`,
      complaints: [
        { id: "swap-size", severity: "note", found: "overcommit 3" },
        {
          id: "swap-after-boot",
          severity: "warning",
          found: "nothing turns /dev/zram0 on when the node starts",
          remedy: "swapoff /dev/zram0",
        },
        {
          id: "swap-priority",
          severity: "warning",
          found: "/dev/zram0 at priority ",
          remedy: `swapon --priority below that of zram for ${SWAP_FILE}`,
        },
      ],
      mends: "swapoff /dev/zram0; udevadm settle; modprobe --remove zram",
    },
    {
      breaks: `systemd-run --quiet --unit pod --slice kubepods.slice sleep infinity
        until [ -e ${POD}/pod.service ]; do sleep 0.1; done`,
      complaints: [
        {
          id: "swap-reach",
          severity: "warning",
          found: "memory.high of kubepods is max; the kubelet evicts from ",
          remedy: "evictionMode: Enforce for wasp agent",
        },
      ],
      mends: "systemctl set-property --runtime kubepods.slice MemoryHigh=512M",
    },
    {
      breaks: "systemctl stop kubelet",
      complaints: [
        {
          id: "kubelet",
          severity: "warning",
          found: "no kubelet runs; its settings are taken from ",
          remedy: "systemctl start kubelet",
        },
      ],
    },
  ],
  "a little swap, a kubelet that cannot be read, and containerd": [
    {
      breaks: `swapoff ${SWAP_FILE}
        fallocate -l 16M /srv/little
        chmod 600 /srv/little
        mkswap --quiet /srv/little
        swapon /srv/little`,
      complaints: [
        { id: "swap-size", severity: "warning", found: "overcommit 101%", remedy: install("swap") },
        {
          id: "swap-after-boot",
          severity: "warning",
          found: "nothing turns /srv/little on when the node starts",
          remedy: "a line in /etc/fstab: /srv/little none swap defaults 0 0",
        },
      ],
      mends: "swapoff /srv/little; rm /srv/little; systemctl start swap.target",
    },
    {
      breaks: `sed --in-place s/crio/containerd/g ${KUBELET}/config.yaml`,
      complaints: [
        {
          id: "nri",
          severity: "warning",
          found: "NRI is off",
          remedy: "wasp install --only containerd --restart",
        },
      ],
      mends: `sed --in-place s/containerd/crio/g ${KUBELET}/config.yaml; systemctl restart kubelet`,
    },
  ],
  "a kubelet's file": [
    {
      breaks: `cp ${KUBELET}/config.yaml ${KUBELET}/before; echo '{' > ${KUBELET}/config.yaml`,
      complaints: (["kubelet", "kubelet-fail-swap-on", "kubelet-swap-behavior", "swap-reach"] as const).map(
        (id) => ({ id, severity: "unknown", found: `${KUBELET}/config.yaml cannot be read as YAML` }),
      ),
      mends: `mv ${KUBELET}/before ${KUBELET}/config.yaml; systemctl restart kubelet`,
    },
  ],
};

/** Runs a command where the kernel looks like an old one, with cgroup v1 and without figures of pressure. */
export function onOldKernel(command: string): string {
  return `unshare --mount sh -c ${quote(`set -e
    echo 5.4.0-150-generic > /run/osrelease
    mount --bind /run/osrelease /proc/sys/kernel/osrelease
    mount -t tmpfs none /proc/pressure
    umount --recursive /sys/fs/cgroup
    mount -t cgroup -o none,name=old none /sys/fs/cgroup
    ${command}`)}`;
}

/** What a check says there. */
export const oldKernelComplaints: readonly Complaint[] = [
  { id: "kernel", severity: "warning", found: "Linux 5.4.0", remedy: "swapReach: Off for wasp agent" },
  {
    id: "cgroup-version",
    severity: "warning",
    found: "cgroup v1",
    remedy: "systemd.unified_cgroup_hierarchy=1 on the kernel's command line",
  },
  {
    id: "swap-controller",
    severity: "error",
    found: "no cgroup has a swap limit",
    remedy: "swapaccount=1, and no cgroup_disable=memory, on the kernel's command line",
  },
  {
    id: "pressure",
    severity: "warning",
    found: "no pressure figures",
    remedy: "psi=1 on the kernel's command line",
  },
];
