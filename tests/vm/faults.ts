/** Faults of a node with services, and the findings that wasp install --check must report for them. */
import type { FindingId, Severity } from "../../src/install/finding/finding.ts";
import { quote } from "./guest.ts";
import { KUBELET_FOLDER as KUBELET, RUN_AGENT } from "./node-services.ts";

/** Expected finding. */
export interface ExpectedFinding {
  readonly id: FindingId;
  readonly severity: Severity;
  /** Part of the finding's text. */
  readonly found: string;
  /** Part of the remedy: a command that repairs the fault, unless the fault has a script for that. */
  readonly remedy?: string;
}

/** A fault. */
export interface Fault {
  /** Script that causes the fault. */
  readonly cause: string;
  readonly findings: readonly ExpectedFinding[];
  /** Script that repairs the fault, if the remedy is not a command that can be run literally. */
  readonly repair?: string;
}

const HOOKS = "/usr/share/containers/oci/hooks.d";
const HOOK = `${HOOKS}/wasp-swap.json`;
const BINARY = "/usr/local/bin/wasp";
const SWAP_FILE = "/var/lib/wasp/swapfile";
const POD = "/sys/fs/cgroup/kubepods.slice";

const install = (flags: string) => `wasp install --only ${flags}`;

const LOAD_HOOK = install("hook --only cri-o --restart");
const RESTART_CRIO = "systemctl restart crio";

/** Groups of faults that can exist at once. */
export const faults: Readonly<Record<string, readonly Fault[]>> = {
  "swap, and owners and modes": [
    {
      cause: "swapoff --all",
      findings: [
        {
          id: "swap",
          severity: "error",
          found: `no swap is on, although ${SWAP_FILE} is turned on at boot`,
          remedy: "systemctl start swap.target",
        },
      ],
    },
    {
      cause: "sysctl --quiet vm.swappiness=0",
      findings: [{ id: "swappiness", severity: "warning", found: "is 0", remedy: "sysctl vm.swappiness=60" }],
    },
    {
      cause: `chmod o+w ${BINARY}`,
      findings: [
        {
          id: "binary-owner",
          severity: "error",
          found: `${BINARY} is writable by everybody`,
          remedy: `chown root:root ${BINARY} && chmod go-w ${BINARY}`,
        },
        { id: "binary", severity: "unknown", found: "was not run", remedy: install("binary") },
      ],
      repair: `chown root:root ${BINARY} && chmod go-w ${BINARY}`,
    },
    {
      cause: `chown 1000 ${HOOK}`,
      findings: [
        {
          id: "hook-owner",
          severity: "error",
          found: `${HOOK} is owned by user 1000`,
          remedy: `chown root:root ${HOOK} && chmod go-w ${HOOK}`,
        },
      ],
    },
    {
      cause: "pkill flock",
      findings: [{ id: "agent", severity: "warning", found: "no agent runs", remedy: "kubectl apply" }],
      repair: RUN_AGENT,
    },
    {
      cause: `echo '{' > ${HOOKS}/theirs.json`,
      findings: [
        {
          id: "hooks-valid",
          severity: "error",
          found: `${HOOKS}/theirs.json`,
          remedy: `correct or remove ${HOOKS}/theirs.json`,
        },
      ],
      repair: `rm ${HOOKS}/theirs.json`,
    },
    {
      cause: `sed 's|/usr/local/bin/wasp|/opt/hook|; s|"wasp-guard"|"guard"|' ${HOOK} > ${HOOKS}/swap-for-burstable.json`,
      findings: [
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
      cause: `chmod a-x ${BINARY}`,
      findings: [{ id: "binary", severity: "error", found: "does not run", remedy: install("binary") }],
    },
    {
      cause: `truncate --size=100 ${HOOK}`,
      findings: [{ id: "hook", severity: "error", found: HOOK, remedy: install("hook") }],
    },
    {
      cause: `rm /etc/systemd/system/system.slice.d/50-wasp.conf
        echo max > /sys/fs/cgroup/system.slice/memory.swap.max`,
      findings: [
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
      cause: "systemctl start earlyoom",
      findings: [
        {
          id: "earlyoom",
          severity: "warning",
          found: "earlyoom runs: pid ",
          remedy: "systemctl disable --now earlyoom",
        },
      ],
    },
    {
      cause: `mkdir /run/systemd/system/kubepods.slice.d
        printf '[Slice]\\nManagedOOMSwap=kill\\n' > /run/systemd/system/kubepods.slice.d/oomd.conf
        systemctl daemon-reload
        systemctl start systemd-oomd`,
      findings: [
        {
          id: "systemd-oomd",
          severity: "warning",
          found: "ManagedOOMSwap=kill for kubepods.slice",
          remedy: "systemctl mask --now systemd-oomd",
        },
      ],
      repair: `systemctl mask --now systemd-oomd
        wasp install --check | grep --extended-regexp --quiet '^ok +systemd-oomd'
        rm --recursive /run/systemd/system/kubepods.slice.d
        systemctl unmask systemd-oomd`,
    },
  ],
  "a hook without an executable, and the kubelet's settings": [
    {
      cause: `sed --in-place 's|"/usr/local/bin/wasp"|"/usr/local/bin/gone"|' ${HOOK}`,
      findings: [
        {
          id: "hook",
          severity: "error",
          found: "it runs /usr/local/bin/gone, which is not there: containers start without wasp's limit",
          remedy: install("hook"),
        },
        { id: "binary", severity: "error", found: "/usr/local/bin/gone is not there" },
      ],
    },
    {
      cause: `rm ${KUBELET}/conf.d/50-wasp.conf`,
      findings: [
        {
          id: "kubelet-fail-swap-on",
          severity: "error",
          found: "failSwapOn is true, its default",
          remedy: install("kubelet --restart"),
        },
      ],
    },
    {
      cause: `printf 'memorySwap:\\n  swapBehavior: LimitedSwap\\n' > ${KUBELET}/conf.d/theirs.conf`,
      findings: [
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
      repair: `echo 'memorySwap: { swapBehavior: NoSwap }' > ${KUBELET}/conf.d/theirs.conf
        systemctl restart kubelet`,
    },
  ],
  "other swap areas, and CRI-O's hook folders": [
    {
      cause: `mkdir -p /etc/crio/crio.conf.d
        printf '[crio.runtime]\\nhooks_dir = ["/srv"]\\n' > /etc/crio/crio.conf.d/00-theirs.conf`,
      findings: [
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
      repair: `${LOAD_HOOK}
        ${RESTART_CRIO}
        wasp install --check | grep --extended-regexp --quiet '^ok +hook-loaded'
        rm --recursive /etc/crio
        ${RESTART_CRIO}
        ${install("hook")}`,
    },
    {
      cause: `modprobe zram num_devices=1
        echo 4G > /sys/block/zram0/disksize
        mkswap --quiet /dev/zram0
        swapon /dev/zram0`,
      findings: [
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
      repair: "swapoff /dev/zram0; udevadm settle; modprobe --remove zram",
    },
    {
      cause: `systemd-run --quiet --unit pod --slice kubepods.slice sleep infinity
        until [ -e ${POD}/pod.service ]; do sleep 0.1; done`,
      findings: [
        {
          id: "swap-reach",
          severity: "warning",
          found: "memory.high of kubepods is max; the kubelet evicts from ",
          remedy: "evictionMode: Enforce for wasp agent",
        },
      ],
      repair: "systemctl set-property --runtime kubepods.slice MemoryHigh=512M",
    },
    {
      cause: "systemctl stop kubelet",
      findings: [
        {
          id: "kubelet",
          severity: "warning",
          found: "no kubelet runs; its settings are taken from ",
          remedy: "systemctl start kubelet",
        },
      ],
    },
  ],
  "little swap, and containerd without NRI": [
    {
      cause: `swapoff ${SWAP_FILE}
        fallocate -l 16M /srv/little
        chmod 600 /srv/little
        mkswap --quiet /srv/little
        swapon /srv/little`,
      findings: [
        { id: "swap-size", severity: "warning", found: "overcommit 101%", remedy: install("swap") },
        {
          id: "swap-after-boot",
          severity: "warning",
          found: "nothing turns /srv/little on when the node starts",
          remedy: "a line in /etc/fstab: /srv/little none swap defaults 0 0",
        },
      ],
      repair: "swapoff /srv/little; rm /srv/little; systemctl start swap.target",
    },
    {
      cause: `sed --in-place s/crio/containerd/g ${KUBELET}/config.yaml`,
      findings: [
        {
          id: "nri",
          severity: "warning",
          found: "NRI is off",
          remedy: "wasp install --only containerd --restart",
        },
      ],
      repair: `sed --in-place s/containerd/crio/g ${KUBELET}/config.yaml; systemctl restart kubelet`,
    },
  ],
  "an invalid kubelet configuration": [
    {
      cause: `cp ${KUBELET}/config.yaml ${KUBELET}/before; echo '{' > ${KUBELET}/config.yaml`,
      findings: (["kubelet", "kubelet-fail-swap-on", "kubelet-swap-behavior", "swap-reach"] as const).map(
        (id) => ({ id, severity: "unknown", found: `${KUBELET}/config.yaml cannot be read as YAML` }),
      ),
      repair: `mv ${KUBELET}/before ${KUBELET}/config.yaml; systemctl restart kubelet`,
    },
  ],
};

/** Returns a script that runs a command as on an old kernel, with cgroup v1 and without PSI. */
export function onOldKernel(command: string): string {
  return `unshare --mount sh -c ${quote(`set -e
    echo 5.4.0-150-generic > /run/osrelease
    mount --bind /run/osrelease /proc/sys/kernel/osrelease
    mount -t tmpfs none /proc/pressure
    umount --recursive /sys/fs/cgroup
    mount -t cgroup -o none,name=old none /sys/fs/cgroup
    ${command}`)}`;
}

/** Findings on an old kernel. */
export const oldKernelFindings: readonly ExpectedFinding[] = [
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
