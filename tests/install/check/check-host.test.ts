import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, readFileSync, statSync } from "node:fs";
import { Glob } from "bun";
import { checkHost } from "../../../src/install/check/all-checks.ts";
import type { FindingId, Severity } from "../../../src/install/finding/finding.ts";
import { CheckedHost } from "./checked-host.ts";

let host: CheckedHost;
beforeEach(() => {
  host = new CheckedHost();
});
afterEach(() => host[Symbol.dispose]());

const RECORDED_KUBELET = `${import.meta.dir}/../../fixtures/recordings/api/kubelet-configz.json`;
const HOOKS = "/usr/share/containers/oci/hooks.d";
const ETC_HOOKS = "/etc/containers/oci/hooks.d";
const KUBELET = "/var/lib/kubelet/config.yaml";
const KUBELET_DROP_IN = "/etc/kubernetes/kubelet.conf.d/50-wasp.conf";
const SLICE = "/sys/fs/cgroup/system.slice";
const SLICE_DROP_INS = "/etc/systemd/system/system.slice.d";
const UNIT = "/etc/systemd/system/dev-mapper-swap.swap";
const FILE_SWAP = "/var/lib/wasp/swapfile file 1048572 0 -2";
const ZRAM_SWAP = "/dev/zram0 partition 1048572 0 100";
const OVERRIDE = `[crio.runtime]\nhooks_dir = [\n  "${HOOKS}", # the default\n  "${ETC_HOOKS}",\n]\n`;
const hookText = () => readFileSync(`${host.fsroot}${HOOKS}/wasp-swap.json`, "utf8");

function found(id: FindingId): string {
  const finding = checkHost(host).find((one) => one.id === id);
  return finding === undefined ? "none" : `${finding.severity}: ${finding.found}`;
}

const K3S = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";

function beK3s(): void {
  host.addProcess(800, ["/usr/bin/k3s", "server"]);
  host.write(`${K3S}/00-k3s-defaults.conf`, "failSwapOn: false\n");
}

type Breakage = readonly [FindingId, string, () => void, Severity | "none", string];

// Each thing broken on purpose: the finding, what is done to a sound host, how bad it is, and words of what is found.
const BREAKAGES: readonly Breakage[] = [
  [
    "kernel",
    "an old kernel",
    () => host.write("/proc/sys/kernel/osrelease", "5.4.0-x\n"),
    "warning",
    "5.4.0-x",
  ],
  [
    "cgroup-version",
    "cgroup v1",
    () => {
      host.remove("/sys/fs/cgroup/cgroup.controllers");
      host.write("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", "1\n");
    },
    "warning",
    "cgroup v1",
  ],
  [
    "swap-controller",
    "no swap controller",
    () => {
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.swap.max`);
    },
    "error",
    "no cgroup has a limit of swap",
  ],
  [
    "swap-controller",
    "no memory controller",
    () => {
      host.write("/sys/fs/cgroup/cgroup.controllers", "cpu io pids\n");
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.swap.max`);
    },
    "error",
    "no cgroup has a limit of swap",
  ],
  ["pressure", "psi=0", () => host.remove("/proc/pressure"), "warning", "no pressure figures"],
  [
    "pressure",
    "none of cgroups",
    () => {
      for (const slice of ["system.slice", "kubepods.slice"])
        host.remove(`/sys/fs/cgroup/${slice}/memory.pressure`);
    },
    "warning",
    "none of its cgroups",
  ],
  ["swap", "swapoff", () => host.setSwaps(), "error", "no swap is on"],
  [
    "swap-after-boot",
    "a unit that is not enabled",
    () => host.remove("/etc/systemd/system/swap.target.wants"),
    "warning",
    "nothing turns /dev/dm-0 on",
  ],
  [
    "swap-after-boot",
    "a unit that a generator made",
    () => {
      host.remove(UNIT);
      host.remove("/etc/systemd/system/swap.target.wants");
      host.write("/run/systemd/generator/dev-dm0.swap", "[Swap]\nWhat=/dev/dm-0\n");
      host.link("/run/systemd/generator/swap.target.requires/dev-dm0.swap", "../dev-dm0.swap");
    },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "zram that wasp's service makes",
    () => {
      host.addBlockDevice("virtual/zram0", "252:0");
      host.setSwaps(ZRAM_SWAP);
      host.link("/etc/systemd/system/swap.target.wants/wasp-swap.service", "../wasp-swap.service");
    },
    "ok",
    "",
  ],
  ["swap-after-boot", "the unit is gone", () => host.remove(UNIT), "warning", "nothing turns /dev/dm-0 on"],
  [
    "swap-after-boot",
    "fstab instead of the unit",
    () => {
      host.remove(UNIT);
      host.link("/dev/disk/by-uuid/12-34", "../../dm-0");
      host.write("/etc/fstab", "# swap\nUUID=12-34 none swap sw 0 0\n");
    },
    "ok",
    "",
  ],
  [
    "swap-after-boot",
    "noauto in fstab",
    () => {
      host.remove(UNIT);
      host.write("/etc/fstab", "/dev/dm-0 none swap sw,noauto 0 0\n");
    },
    "warning",
    "nothing turns",
  ],
  ["swap-disk", "a file on the root", () => host.setSwaps(FILE_SWAP), "note", "swapfile is on vda"],
  [
    "swap-encryption",
    "a file on the root",
    () => host.setSwaps(FILE_SWAP),
    "warning",
    "/var/lib/wasp/swapfile",
  ],
  [
    "swap-disk",
    "a file on a disk mounted below",
    () => {
      host.setMounts("30 24 254:16 / /var/lib/wasp rw - xfs /dev/vdb rw");
      host.setSwaps(FILE_SWAP);
    },
    "ok",
    "",
  ],
  [
    "swap-disk",
    "a file on btrfs, whose number is no device's",
    () => {
      host.write("/proc/1/mountinfo", "24 1 0:30 /root / rw - btrfs /dev/vda1 rw,subvol=/root\n");
      host.setSwaps(FILE_SWAP);
    },
    "note",
    "swapfile is on vda",
  ],
  [
    "swap-disk",
    "a root that is an overlay over a disk",
    () => {
      host.write(
        "/proc/1/mountinfo",
        "24 1 0:30 / / ro - overlay composefs ro\n25 24 254:1 / /sysroot ro - xfs /dev/vda1 ro\n",
      );
      host.setSwaps("/dev/vda1 partition 1048572 0 -2");
    },
    "note",
    "/dev/vda1 is on vda",
  ],
  [
    "swap-encryption",
    "a file in a loop device",
    () => {
      host.addBlockDevice("virtual/loop0", "7:0", { "loop/backing_file": "/var/lib/image\n" });
      host.setSwaps("/dev/loop0 partition 1048572 0 -2");
    },
    "warning",
    "/dev/loop0",
  ],
  [
    "swap-encryption",
    "zram",
    () => {
      host.addBlockDevice("virtual/zram0", "252:0", { backing_dev: "none\n" });
      host.setSwaps(ZRAM_SWAP);
    },
    "ok",
    "",
  ],
  [
    "swap-encryption",
    "zram that writes to a disk",
    () => {
      host.addBlockDevice("virtual/zram0", "252:0", { backing_dev: "/dev/vdb\n" });
      host.setSwaps(ZRAM_SWAP);
    },
    "warning",
    "/dev/zram0",
  ],
  [
    "swap-encryption",
    "a volume of two disks, one of which is encrypted",
    () => {
      host.addBlockDevice("virtual/dm-1", "253:1", { "dm/uuid": "LVM-x\n" });
      host.link("/sys/devices/virtual/dm-1/slaves/dm-0", "../../dm-0");
      host.link("/sys/devices/virtual/dm-1/slaves/vda1", "../../../pci/vda/vda1");
      host.setSwaps("/dev/dm-1 partition 1048572 0 -2");
    },
    "warning",
    "/dev/dm-1",
  ],
  [
    "zswap",
    "zswap on",
    () => host.write("/sys/module/zswap/parameters/enabled", "Y\n"),
    "note",
    "zswap is on",
  ],
  ["zswap", "a kernel without zswap", () => host.remove("/sys/module"), "ok", ""],
  ["swappiness", "0", () => host.write("/proc/sys/vm/swappiness", "0\n"), "warning", "vm.swappiness is 0"],
  [
    "tmpfs-noswap",
    "an old kernel, and no mount",
    () => {
      host.write("/proc/sys/kernel/osrelease", "5.14.0-570.el9\n");
      host.setMounts();
    },
    "note",
    "secrets may be swapped out",
  ],
  [
    "runtime",
    "containerd, which the kubelet names",
    () => host.write(KUBELET, "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n"),
    "ok",
    "containerd",
  ],
  [
    "agent",
    "none, with containerd",
    () => {
      host.write(KUBELET, "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n");
      host.lockBy(undefined);
    },
    "error",
    "nobody else gives limits",
  ],
  [
    "nri",
    "on, under containerd",
    () => {
      host.write(KUBELET, "{}");
      host.remove("/proc/700");
      host.addProcess(701, ["/usr/bin/containerd"]);
      host.write("/run/nri/nri.sock", "");
    },
    "warning",
    "wasp is no plugin of containerd's",
  ],
  [
    "binary",
    "removed",
    () => host.remove("/usr/local/bin/wasp"),
    "error",
    "/usr/local/bin/wasp is not there",
  ],
  ["hook", "the executable is removed", () => host.remove("/usr/local/bin/wasp"), "error", "is not there"],
  ["hook", "removed", () => host.remove(`${HOOKS}/wasp-swap.json`), "error", "no hook runs wasp"],
  [
    "hook",
    "cut off",
    () => host.write(`${HOOKS}/wasp-swap.json`, hookText().slice(0, 90)),
    "error",
    "not JSON",
  ],
  [
    "hook",
    "an empty one of its name in a later folder",
    () => {
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", OVERRIDE);
      host.write(
        `${ETC_HOOKS}/wasp-swap.json`,
        hookText().replace(/"when":\{.*?\}\}/, '"when":{"always":false}'),
      );
    },
    "error",
    `${ETC_HOOKS}/wasp-swap.json: its conditions never hold`,
  ],
  [
    "hook-loaded",
    "in a folder that is not configured",
    () => {
      host.write(`${ETC_HOOKS}/wasp-swap.json`, hookText());
      host.remove(`${HOOKS}/wasp-swap.json`);
    },
    "error",
    `not in a folder of hooks_dir: ${HOOKS}`,
  ],
  [
    "hook-loaded",
    "in a folder that a drop-in configures",
    () => {
      host.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["${HOOKS}"]\n`);
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", OVERRIDE);
      host.write(`${ETC_HOOKS}/wasp-swap.json`, hookText());
      host.remove(`${HOOKS}/wasp-swap.json`);
    },
    "ok",
    `${HOOKS}, ${ETC_HOOKS}`,
  ],
  [
    "hook-loaded",
    "a later drop-in takes the folder away",
    () => host.write("/etc/crio/crio.conf.d/99-site.conf", `[crio.runtime]\nhooks_dir = ["${ETC_HOOKS}"]\n`),
    "error",
    `not in a folder of hooks_dir: ${ETC_HOOKS}`,
  ],
  [
    "hook-loaded",
    "a flag of CRI-O's takes the folder away",
    () => host.addProcess(700, ["/usr/bin/crio", "--hooks-dir", `${ETC_HOOKS},/opt/hooks`]),
    "error",
    `hooks_dir: ${ETC_HOOKS}, /opt/hooks`,
  ],
  [
    "hook-loaded",
    "CRI-O's environment names another configuration",
    () => {
      host.addProcess(700, ["/usr/bin/crio"], ["PATH=/bin", "CONTAINER_CONFIG_DIR=/srv/crio"]);
      host.write("/srv/crio/nested/a", `[crio.runtime]\nhooks_dir = ["${ETC_HOOKS}"]\n`);
    },
    "error",
    `hooks_dir: ${ETC_HOOKS}`,
  ],
  [
    "hooks-valid",
    "another's is cut off",
    () => host.write(`${HOOKS}/a.json`, "{"),
    "error",
    `${HOOKS}/a.json: not JSON`,
  ],
  ["hooks-valid", "what is no JSON file", () => host.write(`${HOOKS}/README`, "{"), "ok", ""],
  ["system-slice", "may swap", () => host.write(`${SLICE}/memory.swap.max`, "max\n"), "warning", "is max"],
  [
    "system-slice-after-boot",
    "no drop-in",
    () => host.remove(SLICE_DROP_INS),
    "warning",
    "no file of system.slice",
  ],
  [
    "system-slice-after-boot",
    "undone by systemctl set-property",
    () =>
      host.write(
        "/etc/systemd/system.control/system.slice.d/50-MemorySwapMax.conf",
        "[Slice]\nMemorySwapMax=infinity\n",
      ),
    "ok",
    "50-wasp.conf",
  ],
  [
    "system-slice-after-boot",
    "undone by a file with a later name",
    () => host.write("/usr/lib/systemd/system/system.slice.d/90-site.conf", "[Slice]\nMemorySwapMax=1G\n"),
    "warning",
    "/usr/lib/systemd/system/system.slice.d/90-site.conf",
  ],
  [
    "system-slice-after-boot",
    "masked by a file of its name",
    () => host.write("/run/systemd/system.control/system.slice.d/50-wasp.conf", ""),
    "warning",
    "no file of system.slice",
  ],
  [
    "io-latency",
    "not set",
    () => host.write(`${SLICE}/io.latency`, ""),
    "warning",
    "for what /dev/dm-0 is on",
  ],
  ["io-latency", "not to be had", () => host.remove(`${SLICE}/io.latency`), "warning", "has no io.latency"],
  [
    "io-latency-after-boot",
    "not in the drop-in",
    () => host.write(`${SLICE_DROP_INS}/50-wasp.conf`, "[Slice]\nMemorySwapMax=0\n"),
    "warning",
    "no file of system.slice that lasts",
  ],
  [
    "kubelet",
    "part of k3s, by its drop-ins",
    () => beK3s(),
    "ok",
    "pid 800, started by k3s, with /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf, its flags",
  ],
  [
    "restart",
    "a drop-in of k3s is newer",
    () => {
      beK3s();
      host.touch(`${K3S}/00-k3s-defaults.conf`);
    },
    "warning",
    "00-k3s-defaults.conf is newer than k3s's start",
  ],
  ["kubelet-fail-swap-on", "k3s's own setting", () => beK3s(), "ok", "failSwapOn is false"],
  [
    "kubelet-fail-swap-on",
    "an argument over it",
    () => {
      beK3s();
      host.write("/etc/rancher/k3s/config.yaml", "kubelet-arg:\n- v=2\n- fail-swap-on=true\n");
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a k3s before drop-ins",
    () => host.addProcess(800, ["/usr/bin/k3s", "server"]),
    "ok",
    "failSwapOn is false",
  ],
  [
    "kubelet",
    "k3s that does not run",
    () => {
      host.remove("/proc/800");
      host.write("/etc/systemd/system/k3s-agent.service", "ExecStart=/usr/local/bin/k3s agent\n");
    },
    "warning",
    "no kubelet runs",
  ],
  [
    "kubelet",
    "k0s that does not run",
    () => {
      host.remove("/proc/800");
      host.write("/etc/systemd/system/k0sworker.service", "ExecStart=/usr/local/bin/k0s worker\n");
    },
    "unknown",
    "k0s starts the kubelet, and with what is not to be told while it does not run",
  ],
  ["kubelet", "k0s's", () => host.addProcess(799, ["/usr/local/bin/k0s", "worker"]), "ok", "started by k0s"],
  [
    "kubelet",
    "none at all",
    () => host.remove("/proc/800"),
    "unknown",
    "nor what is known to start one: k3s,",
  ],
  [
    "kubelet-fail-swap-on",
    "MicroK8s's flags",
    () => {
      host.addProcess(800, ["/snap/microk8s/1/kubelite"]);
      host.write(
        "/var/snap/microk8s/current/args/kubelet",
        "# kubelet\n--fail-swap-on=false\n--root-dir=$SNAP_COMMON/x\n",
      );
    },
    "ok",
    "failSwapOn is false",
  ],
  [
    "kubelet",
    "MicroK8s without its flags",
    () => host.addProcess(800, ["/snap/microk8s/1/kubelite"]),
    "unknown",
    "MicroK8s",
  ],
  [
    "kubelet-fail-swap-on",
    "a pod has a kubelet of its own",
    () => {
      host.addProcess(11, ["kubelet", "--fail-swap-on=true"]);
      host.write("/proc/11/cgroup", "0::/kubepods/burstable/podx/y\n");
    },
    "ok",
    "",
  ],
  [
    "kubelet-fail-swap-on",
    "the drop-in is gone",
    () => host.remove(KUBELET_DROP_IN),
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a drop-in by a name that the kubelet does not take",
    () => {
      host.write(`${KUBELET_DROP_IN}.yaml`, readFileSync(host.fsroot + KUBELET_DROP_IN, "utf8"));
      host.remove(KUBELET_DROP_IN);
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet-fail-swap-on",
    "a flag over all files",
    () => host.addProcess(800, ["kubelet", `--config=${KUBELET}`, "--fail-swap-on=false"]),
    "ok",
    "",
  ],
  [
    "kubelet-fail-swap-on",
    "a kubelet that did not start, by its unit",
    () => {
      host.remove("/proc/800");
      host.write("/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n");
      host.write(
        "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
        `[Service]\n# --fail-swap-on=false\nEnvironment="KUBELET_CONFIG_ARGS=--config=${KUBELET}"\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS\n`,
      );
    },
    "error",
    "failSwapOn is true",
  ],
  [
    "kubelet",
    "a kubelet that did not start, by its unit",
    () => {
      host.remove("/proc/800");
      host.write(
        "/usr/lib/systemd/system/kubelet.service",
        `[Service]\nExecStart=/usr/bin/kubelet --config ${KUBELET}\n`,
      );
    },
    "warning",
    `no kubelet runs; its settings are taken from ${KUBELET}, its flags`,
  ],
  [
    "kubelet-swap-behavior",
    "LimitedSwap",
    () => host.write(KUBELET_DROP_IN, "memorySwap:\n  swapBehavior: LimitedSwap\n"),
    "warning",
    "LimitedSwap",
  ],
  [
    "kubelet-swap-behavior",
    "a recorded kubelet's, in JSON",
    () =>
      host.write(KUBELET, JSON.stringify(JSON.parse(readFileSync(RECORDED_KUBELET, "utf8")).kubeletconfig)),
    "ok",
    "not set, which is NoSwap",
  ],
  [
    "restart",
    "the kubelet's drop-in is newer",
    () => host.touch(KUBELET_DROP_IN),
    "warning",
    `${KUBELET_DROP_IN} is newer than kubelet`,
  ],
  [
    "restart",
    "CRI-O's drop-in is newer",
    () => host.touch("/etc/crio/crio.conf.d/10-crio.conf"),
    "warning",
    "newer than crio",
  ],
  [
    "swap-reach",
    "nobody holds it",
    () => host.write("/sys/fs/cgroup/kubepods.slice/memory.high", "max\n"),
    "warning",
    "is max",
  ],
  ["swap-reach", "no pods", () => host.remove("/sys/fs/cgroup/kubepods.slice"), "none", ""],
  ["agent", "none", () => host.lockBy(undefined), "warning", "no agent runs"],
  [
    "wasp-agent",
    "its hook",
    () => host.write("/run/containers/oci/hooks.d/swap-for-burstable.json", hookText()),
    "warning",
    "/run/containers/oci/hooks.d/swap-for-burstable.json",
  ],
  [
    "systemd-oomd",
    "runs",
    () => host.addProcess(60, ["/usr/lib/systemd/systemd-oomd"]),
    "ok",
    "told of no slice",
  ],
  [
    "systemd-oomd",
    "kills for swap",
    () => {
      host.addProcess(60, ["/usr/lib/systemd/systemd-oomd"]);
      host.write("/usr/lib/systemd/system/-.slice.d/10-oomd.conf", "[Slice]\nManagedOOMSwap=kill\n");
    },
    "warning",
    "ManagedOOMSwap=kill for -.slice",
  ],
  [
    "earlyoom",
    "runs in a pod, or something by that name",
    () => {
      host.addProcess(61, ["earlyoom"]);
      host.write("/proc/61/cgroup", "0::/kubepods.slice/kubepods-burstable.slice/x.slice/crio-1.scope\n");
    },
    "ok",
    "does not run",
  ],
  ["earlyoom", "runs", () => host.addProcess(61, ["/usr/bin/earlyoom", "-r", "3600"]), "warning", "pid 61"],
];

// As whoever runs the tests is not always root, who owns the executable is looked at apart.
const isAboutOwner = ({ id }: { readonly id: FindingId }) => /^binary$|-owner$/.test(id);

describe("a host", () => {
  test("on which nothing is to be found fault with", () => {
    const findings = checkHost(host).filter((finding) => !isAboutOwner(finding));
    expect(findings.filter(({ severity }) => severity !== "ok")).toEqual([]);
    expect(findings.length).toBeGreaterThan(25);
  });

  test.each(BREAKAGES)("%s: %s", (id, _, breakIt, severity, words) => {
    breakIt();
    expect(found(id)).toStartWith(severity);
    expect(found(id)).toContain(words);
  });

  test("that is not there at all", () => {
    using empty = new CheckedHost();
    for (const folder of ["/proc", "/sys", "/etc", "/usr", "/var", "/dev"]) empty.remove(folder);
    expect(checkHost(empty).filter(({ severity }) => severity === "ok" || severity === "note")).toEqual([]);
  });
});

describe("what cannot be read", () => {
  const cases: readonly (readonly [FindingId, string])[] = [
    ["kernel", "/proc/sys/kernel/osrelease"],
    ["swap", "/proc/swaps"],
    ["swap-size", "/proc/meminfo"],
    ["swap-disk", "/proc/1/mountinfo"],
    ["swappiness", "/proc/sys/vm/swappiness"],
    ["pressure", "/proc/pressure/memory"],
    ["zswap", "/sys/module/zswap/parameters/enabled"],
    ["swap-after-boot", UNIT],
    ["swap-encryption", "/sys/devices/virtual/dm-0/dm/uuid"],
    ["system-slice", `${SLICE}/memory.swap.max`],
    ["system-slice-after-boot", `${SLICE_DROP_INS}/50-wasp.conf`],
    ["io-latency", `${SLICE}/io.latency`],
    ["hook-loaded", "/proc/700/environ"],
    ["hook", `${HOOKS}/wasp-swap.json`],
    ["kubelet", KUBELET],
    ["restart", "/proc/800/stat"],
    ["swap-reach", "/sys/fs/cgroup/kubepods.slice/memory.high"],
    ["agent", "/proc/locks"],
  ];
  test.each(cases)("%s is unknown without %s", (id, path) => {
    host.spoil(path);
    expect(found(id)).toStartWith(`unknown: `);
    expect(found(id)).toContain(path);
  });

  const texts: readonly (readonly [FindingId, string, string, string])[] = [
    ["kubelet", KUBELET, "a: [", "cannot be read as YAML"],
    ["kubelet-fail-swap-on", KUBELET_DROP_IN, "\t- x", `${KUBELET_DROP_IN} cannot be read as YAML`],
    ["hook-loaded", "/etc/crio/crio.conf.d/10-crio.conf", "[crio", "cannot be read as TOML"],
    ["swap", "/proc/swaps", "head\nnonsense\n", "nonsense"],
    ["swappiness", "/proc/sys/vm/swappiness", "sixty\n", "sixty"],
    ["restart", "/proc/800/stat", "1 (kubelet) S\n", "no time of start"],
  ];
  test.each(texts)("%s is unknown where %s says %j", (id, path, text, words) => {
    host.write(path, text);
    expect(found(id)).toStartWith("unknown: ");
    expect(found(id)).toContain(words);
  });

  test("a kubelet without the file that it is started with", () => {
    host.remove(KUBELET);
    expect(found("kubelet")).toContain(`unknown: open ${host.fsroot}/proc/800/root${KUBELET}`);
  });

  test("a swap area that is on no device that is known", () => {
    host.setSwaps("/dev/sdz partition 1048572 0 -2");
    expect(found("swap-encryption")).toContain("/sys/class/block/sdz does not exist");
    expect(found("swap")).toStartWith("ok");
  });
});

describe("whatever a file holds", () => {
  const spoilings = [
    ["nothing", (path: string) => host.write(path, "")],
    ["noise", (path: string) => host.write(path, "\u0000] {x: %\n- = 1 2 3\n")],
    ["itself a folder", (path: string) => host.spoil(path)],
    ["a link to nowhere", (path: string) => host.link(path, "/nowhere")],
    ["a link to itself", (path: string) => host.link(path, host.fsroot + path)],
  ] as const;
  test.each(spoilings)("or that it is %s: the check ends, and tells of all else", (_, spoil) => {
    const sound = checkHost(host);
    const names = [...new Glob("**/*").scanSync({ cwd: host.fsroot, dot: true })];
    const paths = names.map((name) => `/${name}`).filter((path) => lstatSync(host.fsroot + path).isFile());
    expect(paths.length).toBeGreaterThan(50);
    for (const path of paths) {
      const text = readFileSync(host.fsroot + path, "utf8");
      const mode = statSync(host.fsroot + path).mode & 0o7777;
      spoil(path);
      expect(checkHost(host).length).toBeGreaterThan(sound.length / 2);
      host.write(path, text, mode);
    }
    expect(checkHost(host)).toEqual(sound);
  });
});

// Others than root own what they make.
describe.if(process.getuid?.() === 0)("the executable", () => {
  test("is run with nothing in its environment, and no longer than some seconds", () => {
    expect(found("binary")).toBe("ok: /usr/local/bin/wasp: wasp 0.1.0 (0123456)");
    expect(host.ran).toContain("env -i timeout 10 /usr/local/bin/wasp --version");
  });

  test("that does not run is told of", () => {
    host.version = new Error("wasp: exit status 127: no such file");
    expect(found("binary")).toBe(
      "error: /usr/local/bin/wasp does not run: wasp: exit status 127: no such file",
    );
  });

  const writable = [
    ["itself", "/usr/local/bin/wasp", 0o757],
    ["its folder", "/usr/local/bin", 0o777],
    ["a folder far above", "/usr", 0o1777],
    ["the root", "", 0o777],
  ] as const;
  test.each(writable)("is not run where everybody may change %s", (_, path, mode) => {
    host.chmod(path, mode);
    expect(found("binary-owner")).toContain(`${path || "/"} is writable by everybody`);
    expect(found("binary")).toStartWith("unknown: ");
    expect(host.ran).toEqual([]);
  });

  test("is looked for where its folders' links lead, and all folders on the way there count", () => {
    host.write("/var/usrlocal/bin/wasp", "", 0o755);
    host.link("/usr/local", "../var/usrlocal");
    expect(found("binary-owner")).toContain("/usr/local/bin/wasp");
    host.chmod("/var", 0o777);
    expect(found("binary-owner")).toContain("/var is writable by everybody");
    host.link("/usr/local", "/var/nothing");
    expect(found("binary")).toBe("error: /usr/local/bin/wasp is not there");
  });

  test("may be another one if everybody may change the hook", () => {
    host.chmod(HOOKS, 0o777);
    expect(found("hook-owner")).toContain(`${HOOKS} is writable by everybody`);
  });

  test("is looked for where the hook has it, through its links", () => {
    host.write(`${HOOKS}/wasp-swap.json`, hookText().replace("/usr/local/bin/wasp", "/opt/bin/wasp"));
    host.link("/opt/bin/wasp", "/srv/wasp/wasp");
    host.write("/srv/wasp/wasp", "", 0o755);
    host.chmod("/srv/wasp", 0o777);
    expect(found("binary-owner")).toContain("/srv/wasp is writable by everybody");
    host.remove("/srv/wasp/wasp");
    expect(found("binary")).toBe("error: /opt/bin/wasp is not there");
  });
});

describe("an image", () => {
  test("is checked for what it has, and nothing is run in it", () => {
    host.isRunning = false;
    host.remove("/proc");
    host.remove("/sys");
    host.write(
      "/usr/lib/systemd/system/kubelet.service",
      `[Service]\nExecStart=kubelet --config=${KUBELET}\n`,
    );
    const findings = checkHost(host).filter((finding) => !isAboutOwner(finding));
    expect(findings.map(({ id, severity }) => `${id} ${severity}`)).toEqual([
      "hook ok",
      "hook-loaded ok",
      "hooks-valid ok",
      "system-slice-after-boot ok",
      "kubelet-fail-swap-on error",
      "kubelet-swap-behavior ok",
      "wasp-agent ok",
    ]);
    expect(host.ran).toEqual([]);
  });
});
