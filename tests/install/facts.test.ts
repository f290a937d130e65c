import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { type ContainerdFacts, NRI_LINES } from "../../src/install/containerd/plan.ts";
import { readContainerdFacts } from "../../src/install/containerd/read.ts";
import { readCrioFacts } from "../../src/install/crio/read.ts";
import { readKubeletFacts } from "../../src/install/kubelet/read.ts";
import { readSystemSliceFacts } from "../../src/install/system-slice/read.ts";
import { type Host, imageHost, runningHost } from "../../src/install/target/host.ts";
import { InstallHost } from "../node/install-host.ts";

const PROGRAM = { path: "/proc/self/exe", digest: "" };

/** What a reader finds on a host that runs, once something is on it. */
function read<Facts>(
  reader: (host: ReturnType<typeof runningHost>) => Facts,
  lay: (host: InstallHost) => void,
): Facts {
  using host = new InstallHost();
  lay(host);
  return reader(runningHost(host.root, PROGRAM));
}

// Abridged from what `crio config` prints, with everything that its TOML has.
const CRIO_CONF = `
[crio]
# root = "/var/lib/containers/storage"
log_dir = "/var/log/crio/pods"
internal_wipe = true
[crio.api]
stream_port = "0"
grpc_max_send_msg_size = 83886080
[crio.runtime]
no_pivot = false
default_runtime = "crun"
default_capabilities = [
  "CHOWN",
  "KILL", # the last has a comma
]
default_sysctls = [
]
hooks_dir = [
  "/usr/share/containers/oci/hooks.d",
  '/etc/containers/oci/hooks.d/',
]
pids_limit = -1
[crio.runtime.runtimes.crun]
runtime_path = ""
allowed_annotations = ["io.containers.trace-syscall",]
[crio.runtime.runtimes."kata-qemu"]
runtime_type = "vm"
container_create_timeout = 240
[crio.image]
pause_image = "registry.k8s.io/pause:3.10.1"
`;

const hooksDir = (folder: string) => `[crio.runtime]\nhooks_dir = ["${folder}"]\n`;

describe("CRI-O", () => {
  test("is read as it is configured", () => {
    const facts = read(readCrioFacts, (host) => host.write("/etc/crio/crio.conf", CRIO_CONF));
    expect(facts).toEqual({
      isThere: true,
      hooksDirs: ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"],
      hooksDirsSetBy: "/etc/crio/crio.conf",
      isHooksDirFixed: false,
      dropInFolder: "/etc/crio/crio.conf.d",
      defaultRuntime: "crun",
      handlers: ["crun", "kata-qemu"],
      problems: [],
    });
  });

  test("has its drop-ins read in their order, and not wasp's", () => {
    const facts = read(readCrioFacts, (host) => {
      host.write("/etc/crio/crio.conf.d/20-b.conf", hooksDir("/b"));
      host.write("/etc/crio/crio.conf.d/10-a.conf", hooksDir("/a"));
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", hooksDir("/wasp"));
    });
    expect(facts).toMatchObject({ isThere: true, hooksDirs: ["/b"], isHooksDirFixed: false });
  });

  test("may have a drop-in after wasp's", () => {
    const facts = read(readCrioFacts, (host) =>
      host.write("/etc/crio/crio.conf.d/99-z.conf", hooksDir("/z")),
    );
    expect(facts).toMatchObject({ hooksDirsSetBy: "/etc/crio/crio.conf.d/99-z.conf", isHooksDirFixed: true });
  });

  test("has drop-ins in folders of their own, too", () => {
    const facts = read(readCrioFacts, (host) => {
      host.write("/etc/crio/crio.conf.d/10-site/b", hooksDir("/b"));
      host.write("/etc/crio/crio.conf.d/10-site/a/z", hooksDir("/a"));
    });
    expect(facts).toMatchObject({ hooksDirs: ["/b"], isHooksDirFixed: false });
    const later = read(readCrioFacts, (host) =>
      host.write("/etc/crio/crio.conf.d/90-site/50-wasp.conf", hooksDir("/c")),
    );
    expect(later).toMatchObject({ hooksDirs: ["/c"], isHooksDirFixed: true });
  });

  const inUnit = (line: string) => (host: InstallHost) =>
    host.write("/usr/lib/systemd/system/crio.service", `[Service]\n${line}\nExecStart=/usr/bin/crio\n`);

  test.each<[string, (host: InstallHost) => void]>([
    ["its unit", inUnit('Environment="CONTAINER_HOOKS_DIR=/a,/b" CONTAINER_DEFAULT_RUNTIME=runc')],
    [
      "a file that its unit names",
      (host) => {
        inUnit("EnvironmentFile=-/etc/sysconfig/crio")(host);
        host.write("/etc/sysconfig/crio", "CONTAINER_HOOKS_DIR=/a,/b\nCONTAINER_DEFAULT_RUNTIME='runc'\n");
      },
    ],
    [
      "its process",
      (host) => {
        host.addProcess(9, "crio", ["/usr/bin/crio"]);
        host.write(
          "/proc/9/environ",
          "PATH=/bin\0CONTAINER_HOOKS_DIR=/a,/b\0CONTAINER_DEFAULT_RUNTIME=runc\0",
        );
      },
    ],
  ])("may be told by variables of %s, over its files", (_, lay) => {
    const facts = read(readCrioFacts, (host) => {
      host.write("/etc/crio/crio.conf.d/99-z.conf", hooksDir("/z"));
      lay(host);
    });
    expect(facts).toMatchObject({
      hooksDirs: ["/a", "/b"],
      hooksDirsSetBy: "the variable CONTAINER_HOOKS_DIR of CRI-O",
      isHooksDirFixed: true,
      defaultRuntime: "runc",
    });
  });

  test("may be told by a variable where its drop-ins are", () => {
    const facts = read(readCrioFacts, (host) => {
      inUnit("Environment=CONTAINER_CONFIG_DIR=/srv/crio")(host);
      host.write("/srv/crio/1", hooksDir("/s"));
    });
    expect(facts).toMatchObject({ dropInFolder: "/srv/crio", hooksDirs: ["/s"] });
  });

  test("may be told by its flags", () => {
    const facts = read(readCrioFacts, (host) =>
      host.addProcess(9, "crio", ["/usr/bin/crio", "--hooks-dir", "/flag", "--config-dir=/opt/crio.d"]),
    );
    expect(facts).toMatchObject({ hooksDirs: ["/flag"], isHooksDirFixed: true, dropInFolder: "/opt/crio.d" });
  });

  test("is there as soon as its executable is", () => {
    const isThere = (lay: (host: InstallHost) => void) => read(readCrioFacts, lay).isThere;
    expect(isThere(() => {})).toBe(false);
    expect(isThere((host) => host.write("/usr/bin/crio", "", 0o755))).toBe(true);
  });
});

describe("the kubelet", () => {
  const unit = "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf";

  test.each<[string, (host: InstallHost) => void]>([
    [
      "its process",
      (host) => {
        host.addProcess(5, "kubelet", ["kubelet", "--config=/etc/k.yaml", "--config-dir", "/etc/k.d/"]);
        host.write(unit, "ExecStart=/usr/bin/kubelet --config=/etc/other.yaml\n");
      },
    ],
    [
      "its unit",
      (host) => {
        host.write(
          "/usr/lib/systemd/system/kubelet.service",
          "ExecStart=/usr/bin/kubelet --config=/etc/old.yaml\n",
        );
        host.write(
          unit,
          "#ExecStart=--config=/no\nExecStart=\nExecStart=/usr/bin/kubelet \\\n --config=/etc/k.yaml --config-dir=/etc/k.d\n",
        );
      },
    ],
    [
      "the files that its unit names",
      (host) => {
        host.write(
          unit,
          "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=/usr/bin/kubelet $ARGS\n",
        );
        host.write("/etc/default/kubelet", 'ARGS="--config=/etc/k.yaml --config-dir=/etc/k.d"\n');
      },
    ],
    [
      "its unit's environment",
      (host) =>
        host.write(
          unit,
          '[Service]\nEnvironment="A=--config=/etc/k.yaml --config-dir=/etc/k.d"\nExecStart=kubelet $A\n',
        ),
    ],
  ])("has its flags from %s", (_, lay) => {
    expect(read(readKubeletFacts, lay)).toMatchObject({
      isThere: true,
      configFile: "/etc/k.yaml",
      dropInFolder: "/etc/k.d",
    });
  });

  test("has its files read in their order, and not wasp's", () => {
    const facts = read(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config", "/etc/k.yaml", "--config-dir", "/etc/k.d"]);
      host.write(
        "/etc/k.yaml",
        "failSwapOn: true\nevictionSoft: {memory.available: 1Gi}\nmemorySwap: {swapBehavior: LimitedSwap}\n",
      );
      host.write("/etc/k.d/10-a.conf", "evictionSoft:\n  memory.available: 500Mi\n");
      host.write("/etc/k.d/50-wasp.conf", "failSwapOn: false\n");
      host.write("/etc/k.d/99-z.conf", '{"failSwapOn": true}');
      host.write("/etc/k.d/ignored.yaml", "failSwapOn: [");
    });
    expect(facts).toMatchObject({ failSwapOn: true, evictionSoft: "500Mi", limitsSwap: true });
    expect(facts).toMatchObject({
      contradictedBy: "/etc/k.d/99-z.conf",
      memoryTotalBytes: 2 ** 34,
      problems: [],
    });
  });

  test("has drop-ins in folders of their own, too", () => {
    const facts = read(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config-dir=/etc/k.d"]);
      host.write("/etc/k.d/20-cli-config-dir/a.conf", "failSwapOn: true\n");
      host.write("/etc/k.d/50-wasp.conf", "failSwapOn: false\n");
    });
    expect(facts).toMatchObject({
      failSwapOn: true,
      failSwapOnNow: { value: false, setBy: "/etc/k.d/50-wasp.conf" },
      contradictedBy: undefined,
    });
    const later = read(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config-dir=/etc/k.d"]);
      host.write("/etc/k.d/60-site/a.conf", "failSwapOn: true\n");
    });
    expect(later.contradictedBy).toBe("/etc/k.d/60-site/a.conf");
  });

  test("is not known as long as nobody has written its file", () => {
    const isKnown = (lay: (host: InstallHost) => void) => read(readKubeletFacts, lay).isConfigKnown;
    const process = (host: InstallHost) => host.addProcess(5, "kubelet", ["kubelet", "--config=/etc/k.yaml"]);
    expect(isKnown(process)).toBe(false);
    expect(
      isKnown((host) => {
        process(host);
        host.write("/etc/k.yaml", "{}");
      }),
    ).toBe(true);
    expect(isKnown((host) => host.write("/usr/bin/kubelet", "", 0o755))).toBe(false);
  });

  describe("of a distribution", () => {
    const K3S_DROP_INS = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
    const k3s = (host: InstallHost) => {
      host.addProcess(5, "k3s-server", ["/usr/local/bin/k3s", "server"]);
      host.write(`${K3S_DROP_INS}/00-k3s-defaults.conf`, "failSwapOn: false\n");
    };

    test("is a part of k3s, which has a folder for drop-ins", () => {
      const facts = read(readKubeletFacts, k3s);
      expect(facts).toMatchObject({ dropInFolder: K3S_DROP_INS, failSwapOn: false, configFile: undefined });
      expect(facts.startedBy).toMatchObject({ name: "k3s", unit: "k3s.service" });
    });

    test.each<[string, string, string | undefined]>([
      ["its file", "kubelet-arg: [eviction-soft=memory.available<1Gi]", undefined],
      ["its file, as one text", "kubelet-arg: eviction-soft=memory.available<1Gi", undefined],
      [
        "a later file, in its place",
        "kubelet-arg: [eviction-soft=memory.available<1Gi]",
        "kubelet-arg: [v=2]",
      ],
      ["a later file, besides", "kubelet-arg: [v=2]", 'kubelet-arg+: ["eviction-soft=memory.available<1Gi"]'],
    ])("is told by %s what it is started with", (name, text, more) => {
      const { evictionSoft } = read(readKubeletFacts, (host) => {
        k3s(host);
        host.write("/etc/rancher/k3s/config.yaml", text);
        if (more !== undefined) host.write("/etc/rancher/k3s/config.yaml.d/10-a.yaml", more);
      });
      expect(evictionSoft).toBe(name.endsWith("place") ? undefined : "1Gi");
    });

    test("is told by its unit, over its file, and where its folder is", () => {
      const facts = read(readKubeletFacts, (host) => {
        host.write(
          "/etc/systemd/system/k3s-agent.service",
          "ExecStart=/usr/local/bin/k3s \\\n agent \\\n '--kubelet-arg=fail-swap-on=true' \\\n '--kubelet-arg' 'v=2' --data-dir=/srv\n",
        );
        host.write("/etc/rancher/k3s/config.yaml", "kubelet-arg: [fail-swap-on=false]\n");
        host.write("/srv/agent/etc/kubelet.conf.d/10-a.conf", "evictionSoft: {memory.available: 2Gi}\n");
      });
      expect(facts).toMatchObject({ failSwapOnFlag: true, evictionSoft: "2Gi" });
      expect(facts.startedBy?.unit).toBe("k3s-agent.service");
    });

    test("before there were drop-ins, has swap allowed by a flag", () => {
      const facts = read(readKubeletFacts, (host) => host.addProcess(5, "k3s-agent", ["k3s", "agent"]));
      expect(facts).toMatchObject({ dropInFolder: undefined, failSwapOnFlag: false, isConfigKnown: true });
    });

    test("is a process beside rke2", () => {
      const facts = read(readKubeletFacts, (host) => {
        host.addProcess(4, "rke2", ["/usr/local/bin/rke2", "agent"]);
        host.write("/usr/local/lib/systemd/system/rke2-agent.service", "");
        host.addProcess(5, "kubelet", [
          "kubelet",
          "--config-dir=/var/lib/rancher/rke2/agent/etc/kubelet.conf.d",
        ]);
      });
      expect(facts.dropInFolder).toBe("/var/lib/rancher/rke2/agent/etc/kubelet.conf.d");
      expect(facts.startedBy).toMatchObject({ name: "rke2", unit: "rke2-agent.service" });
    });

    test("is a part of MicroK8s, with flags in a file", () => {
      const facts = read(readKubeletFacts, (host) => {
        host.addProcess(5, "kubelite", ["/snap/microk8s/1/kubelite"]);
        host.write(
          "/var/snap/microk8s/current/args/kubelet",
          '--config="$SNAP_DATA/k.yaml"\n#--fail-swap-on\n--eviction-soft="memory.available<1Gi"\n',
        );
        host.write("/var/snap/microk8s/current/k.yaml", "failSwapOn: false\n");
      });
      expect(facts).toMatchObject({ failSwapOn: false, failSwapOnFlag: undefined, evictionSoft: "1Gi" });
    });

    test("is none of one that was there before", () => {
      const facts = read(readKubeletFacts, (host) => {
        host.write("/etc/systemd/system/k3s.service", "ExecStart=/usr/local/bin/k3s server\n");
        host.addProcess(5, "kubelet", ["kubelet", "--fail-swap-on"]);
      });
      expect(facts).toMatchObject({ startedBy: undefined, failSwapOnFlag: true });
    });

    test("is not known of k0s that does not run", () => {
      const facts = read(readKubeletFacts, (host) => host.write("/etc/systemd/system/k0sworker.service", ""));
      expect(facts).toMatchObject({ isThere: true, isConfigKnown: false });
    });
  });

  test("has flags that count for more than its files", () => {
    const facts = read(readKubeletFacts, (host) =>
      host.addProcess(5, "kubelet", [
        "kubelet",
        "--fail-swap-on=false",
        "--eviction-soft=nodefs.available<5%,memory.available<2Gi",
      ]),
    );
    expect(facts).toMatchObject({ failSwapOnFlag: false, evictionSoft: "2Gi", configFile: undefined });
  });

  test("whose file is not YAML is told of", () => {
    const { problems } = read(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config", "/etc/k.yaml"]);
      host.write("/etc/k.yaml", "a: [");
    });
    expect(problems).toEqual([expect.stringContaining("/etc/k.yaml is not YAML that wasp can read: ")]);
  });

  test("of an image is not the one that runs here", () => {
    using host = new InstallHost();
    host.addProcess(5, "kubelet", ["kubelet", "--config", "/etc/k.yaml"]);
    const facts = readKubeletFacts(imageHost(host.root, PROGRAM));
    expect(facts).toMatchObject({ isThere: false, configFile: undefined, memoryTotalBytes: undefined });
  });
});

describe("swap", () => {
  const SWAPS = `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority
/dev/zram0                              partition\t1048572\t\t0\t\t100
/srv/a\\040file                          file\t\t1048572\t\t0\t\t-2
`;

  test("that is on is found beside what is planned", () => {
    const { swaps } = read(
      (host) => readSystemSliceFacts(host, ["/dev/sdb", "/dev/zram0"]),
      (host) => host.write("/proc/swaps", SWAPS),
    );
    expect(swaps).toEqual(["/dev/sdb", "/dev/zram0", "/srv/a file"]);
  });

  test("of the machine that prepares an image is none of the image's", () => {
    using host = new InstallHost();
    host.write("/proc/swaps", SWAPS);
    expect(readSystemSliceFacts(imageHost(host.root, PROGRAM), ["/swapfile"]).swaps).toEqual(["/swapfile"]);
  });
});

describe("the protection of system.slice", () => {
  const table: readonly [string, Record<string, string>, boolean | undefined, boolean | undefined][] = [
    ["that the kernel tells nothing of", {}, undefined, undefined],
    ["that is not in force", { "memory.swap.max": "max\n", "io.latency": "" }, false, false],
    ["that is", { "memory.swap.max": "0\n", "io.latency": "254:0 target=50000\n" }, true, true],
    ["whose target was taken back", { "io.latency": "254:0 target=0\n" }, undefined, false],
  ];

  test.each(table)("%s", (_, files, isSwapDenied, hasLatencyTarget) => {
    const facts = read(
      (host) => readSystemSliceFacts(host, []),
      (host) => {
        for (const [name, text] of Object.entries(files))
          host.write(`/sys/fs/cgroup/system.slice/${name}`, text);
      },
    );
    expect(facts).toMatchObject({ isSwapDenied, hasLatencyTarget });
  });
});

describe("io.latency", () => {
  const at = (files: readonly string[]) =>
    read(
      (host) => readSystemSliceFacts(host, []).hasIoLatency,
      (host) => {
        for (const file of files) host.write(`/sys/fs/cgroup/${file}`, "cpu io memory\n");
      },
    );

  test.each<[readonly string[], boolean | undefined]>([
    [[], false],
    [["cgroup.controllers"], undefined],
    [["cgroup.controllers", "user.slice/io.stat"], false],
    [["cgroup.controllers", "system.slice/io.stat", "system.slice/io.latency"], true],
  ])("by %j is %p", (files, has) => {
    expect(at(files)).toBe(has);
  });
});

describe("containerd", () => {
  /** A reader to which no program of the host says anything. */
  const unasked =
    <Facts>(reader: (host: Host) => Facts) =>
    (host: Host) =>
      reader({ ...host, run: () => "" });

  test.each<[string, (host: InstallHost) => void, boolean]>([
    ["nothing", () => {}, false],
    ["its executable", (host) => host.write("/usr/bin/containerd", "", 0o755), true],
    ["its configuration alone", (host) => host.write("/etc/containerd/config.toml", ""), false],
    ["its process", (host) => host.addProcess(3, "containerd", ["containerd"]), true],
    [
      "a link to its executable",
      (host) => {
        host.write("/opt/containerd", "", 0o755);
        symlinkSync("/opt/containerd", `${host.root}/usr/local/bin/containerd`);
      },
      true,
    ],
  ])("is known by %s", (_, lay, isThere) => {
    expect(read(unasked(readContainerdFacts), lay).isThere).toBe(isThere);
  });

  const CONFIG = "/etc/containerd/config.toml";
  const DROP_IN = "/etc/containerd/conf.d/10-nri.toml";
  const table = (line: string) => `[plugins."io.containerd.nri.v1.nri"]\n  ${line}\n`;
  const imports = (pattern: string) => `version = 2\nimports = ["${pattern}"]\n`;

  test.each<[string, Record<string, string>, Partial<ContainerdFacts>]>([
    ["nothing", {}, { isConfigured: false, configFile: CONFIG, nri: undefined, problems: [] }],
    ["the defaults", { [CONFIG]: "version = 2\n" }, { isConfigured: true, nri: undefined }],
    ["NRI on", { [CONFIG]: table("disable = false") }, { nri: { file: CONFIG, isDisabled: false } }],
    ["NRI off", { [CONFIG]: table("disable = true") }, { nri: { file: CONFIG, isDisabled: true } }],
    [
      "NRI otherwise",
      { [CONFIG]: table('socket_path = "/s"') },
      { nri: { file: CONFIG, isDisabled: undefined } },
    ],
    [
      "NRI without plugins",
      { [CONFIG]: table("disable_connections = true") },
      { connectionsRefusedBy: CONFIG },
    ],
    [
      "NRI left out",
      { [CONFIG]: 'disabled_plugins = ["io.containerd.nri.v1.nri"]\n' },
      { nri: { file: CONFIG, isDisabled: true } },
    ],
    ["Docker's", { [CONFIG]: 'disabled_plugins = ["cri"]\n' }, { isCriOff: true, nri: undefined }],
    ["what wasp added", { [CONFIG]: `version = 2\n${NRI_LINES.join("\n")}\n` }, { nri: undefined }],
    [
      "a folder",
      { [CONFIG]: imports("/etc/containerd/conf.d/*.toml"), [DROP_IN]: table("disable = false") },
      { importedFolder: "/etc/containerd/conf.d", nri: { file: DROP_IN, isDisabled: false } },
    ],
    [
      "a folder beside it, with wasp's own file",
      { [CONFIG]: imports("conf.d/*.toml"), "/etc/containerd/conf.d/50-wasp.toml": table("disable = false") },
      { importedFolder: "/etc/containerd/conf.d", nri: undefined },
    ],
    ["a file", { [CONFIG]: imports("/etc/containerd/one.toml") }, { importedFolder: undefined }],
    [
      "nonsense",
      { [CONFIG]: "version = \n" },
      { problems: [expect.stringContaining(`${CONFIG} is not TOML`)] },
    ],
  ])("is read with %s", (_, files, facts) => {
    const found = read(unasked(readContainerdFacts), (host) => {
      for (const [path, text] of Object.entries(files)) host.write(path, text);
    });
    expect(found).toMatchObject(facts);
  });

  test.each([
    ["containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+deb13u1+b3", "1.7.24"],
    [
      "containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4e490e9fbdc236c0e811ccaba3376",
      "2.1.4",
    ],
    ["containerd github.com/containerd/containerd/v2 2.0.5+ds1 ", "2.0.5"],
    ["containerd github.com/containerd/containerd/v2 v2.3.0-rc.1 x", "2.3.0"],
    ["containerd?", undefined],
  ])("of the version %j is %p", (said, version) => {
    using host = new InstallHost();
    host.write("/usr/bin/containerd", "", 0o755);
    const running = { ...runningHost(host.root, PROGRAM), run: () => `${said}\n` };
    expect(readContainerdFacts(running).version).toBe(version);
    expect(readContainerdFacts(imageHost(host.root, PROGRAM)).version).toBeUndefined();
  });
});
