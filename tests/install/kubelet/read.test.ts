import { describe, expect, test } from "bun:test";
import { readKubeletFacts } from "../../../src/install/kubelet/read.ts";
import { imageHost } from "../../../src/install/target/host.ts";
import { InstallHost } from "../../node/install-host.ts";
import { PROGRAM, readOnHost } from "../read-on-host.ts";

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
    expect(readOnHost(readKubeletFacts, lay)).toMatchObject({
      isThere: true,
      configFile: "/etc/k.yaml",
      dropInFolder: "/etc/k.d",
    });
  });

  test("has its files read in order, without wasp's", () => {
    const facts = readOnHost(readKubeletFacts, (host) => {
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

  test("has its drop-ins in nested folders read too", () => {
    const facts = readOnHost(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config-dir=/etc/k.d"]);
      host.write("/etc/k.d/20-cli-config-dir/a.conf", "failSwapOn: true\n");
      host.write("/etc/k.d/50-wasp.conf", "failSwapOn: false\n");
    });
    expect(facts).toMatchObject({
      failSwapOn: true,
      failSwapOnNow: { value: false, setBy: "/etc/k.d/50-wasp.conf" },
      contradictedBy: undefined,
    });
    const later = readOnHost(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config-dir=/etc/k.d"]);
      host.write("/etc/k.d/60-site/a.conf", "failSwapOn: true\n");
    });
    expect(later.contradictedBy).toBe("/etc/k.d/60-site/a.conf");
  });

  test("has no known configuration while its file is missing", () => {
    const isKnown = (lay: (host: InstallHost) => void) => readOnHost(readKubeletFacts, lay).isConfigKnown;
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

    test("is a part of k3s, which has a folder of drop-ins", () => {
      const facts = readOnHost(readKubeletFacts, k3s);
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
    ])("has its arguments from %s", (name, text, more) => {
      const { evictionSoft } = readOnHost(readKubeletFacts, (host) => {
        k3s(host);
        host.write("/etc/rancher/k3s/config.yaml", text);
        if (more !== undefined) host.write("/etc/rancher/k3s/config.yaml.d/10-a.yaml", more);
      });
      expect(evictionSoft).toBe(name.endsWith("place") ? undefined : "1Gi");
    });

    test("has its arguments and its folder from its unit, which overrides its file", () => {
      const facts = readOnHost(readKubeletFacts, (host) => {
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

    test("without drop-ins, has swap allowed by a flag", () => {
      const facts = readOnHost(readKubeletFacts, (host) => host.addProcess(5, "k3s-agent", ["k3s", "agent"]));
      expect(facts).toMatchObject({ dropInFolder: undefined, failSwapOnFlag: false, isConfigKnown: true });
    });

    test("is a process beside rke2", () => {
      const facts = readOnHost(readKubeletFacts, (host) => {
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
      const facts = readOnHost(readKubeletFacts, (host) => {
        host.addProcess(5, "kubelite", ["/snap/microk8s/1/kubelite"]);
        host.write(
          "/var/snap/microk8s/current/args/kubelet",
          '--config="$SNAP_DATA/k.yaml"\n#--fail-swap-on\n--eviction-soft="memory.available<1Gi"\n',
        );
        host.write("/var/snap/microk8s/current/k.yaml", "failSwapOn: false\n");
      });
      expect(facts).toMatchObject({ failSwapOn: false, failSwapOnFlag: undefined, evictionSoft: "1Gi" });
    });

    test("is not that of a distribution that ran before", () => {
      const facts = readOnHost(readKubeletFacts, (host) => {
        host.write("/etc/systemd/system/k3s.service", "ExecStart=/usr/local/bin/k3s server\n");
        host.addProcess(5, "kubelet", ["kubelet", "--fail-swap-on"]);
      });
      expect(facts).toMatchObject({ startedBy: undefined, failSwapOnFlag: true });
    });

    test("has no known configuration under a k0s that is not running", () => {
      const facts = readOnHost(readKubeletFacts, (host) =>
        host.write("/etc/systemd/system/k0sworker.service", ""),
      );
      expect(facts).toMatchObject({ isThere: true, isConfigKnown: false });
    });
  });

  test("has flags that override its files", () => {
    const facts = readOnHost(readKubeletFacts, (host) =>
      host.addProcess(5, "kubelet", [
        "kubelet",
        "--fail-swap-on=false",
        "--eviction-soft=nodefs.available<5%,memory.available<2Gi",
      ]),
    );
    expect(facts).toMatchObject({ failSwapOnFlag: false, evictionSoft: "2Gi", configFile: undefined });
  });

  test("has a problem where its file is not YAML", () => {
    const { problems } = readOnHost(readKubeletFacts, (host) => {
      host.addProcess(5, "kubelet", ["kubelet", "--config", "/etc/k.yaml"]);
      host.write("/etc/k.yaml", "a: [");
    });
    expect(problems).toEqual([expect.stringContaining("/etc/k.yaml is not YAML that wasp can read: ")]);
  });

  test("of an image is not the one that is running here", () => {
    using host = new InstallHost();
    host.addProcess(5, "kubelet", ["kubelet", "--config", "/etc/k.yaml"]);
    const facts = readKubeletFacts(imageHost(host.root, PROGRAM));
    expect(facts).toMatchObject({ isThere: false, configFile: undefined, memoryTotalBytes: undefined });
  });
});
