import { describe, expect, test } from "bun:test";
import { readCrioFacts } from "../../../src/install/crio/read.ts";
import type { InstallHost } from "../../node/install-host.ts";
import { readOnHost } from "../read-on-host.ts";

// Abridged output of `crio config`, with every form of TOML in it.
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
    const facts = readOnHost(readCrioFacts, (host) => host.write("/etc/crio/crio.conf", CRIO_CONF));
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

  test("has its drop-ins read in order, without wasp's", () => {
    const facts = readOnHost(readCrioFacts, (host) => {
      host.write("/etc/crio/crio.conf.d/20-b.conf", hooksDir("/b"));
      host.write("/etc/crio/crio.conf.d/10-a.conf", hooksDir("/a"));
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", hooksDir("/wasp"));
    });
    expect(facts).toMatchObject({ isThere: true, hooksDirs: ["/b"], isHooksDirFixed: false });
  });

  test("may have a drop-in after wasp's", () => {
    const facts = readOnHost(readCrioFacts, (host) =>
      host.write("/etc/crio/crio.conf.d/99-z.conf", hooksDir("/z")),
    );
    expect(facts).toMatchObject({ hooksDirsSetBy: "/etc/crio/crio.conf.d/99-z.conf", isHooksDirFixed: true });
  });

  test("has its drop-ins in nested folders read too", () => {
    const facts = readOnHost(readCrioFacts, (host) => {
      host.write("/etc/crio/crio.conf.d/10-site/b", hooksDir("/b"));
      host.write("/etc/crio/crio.conf.d/10-site/a/z", hooksDir("/a"));
    });
    expect(facts).toMatchObject({ hooksDirs: ["/b"], isHooksDirFixed: false });
    const later = readOnHost(readCrioFacts, (host) =>
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
  ])("is configured by variables of %s, which override its files", (_, lay) => {
    const facts = readOnHost(readCrioFacts, (host) => {
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

  test("may have its folder of drop-ins in a variable", () => {
    const facts = readOnHost(readCrioFacts, (host) => {
      inUnit("Environment=CONTAINER_CONFIG_DIR=/srv/crio")(host);
      host.write("/srv/crio/1", hooksDir("/s"));
    });
    expect(facts).toMatchObject({ dropInFolder: "/srv/crio", hooksDirs: ["/s"] });
  });

  test("may be configured by its flags", () => {
    const facts = readOnHost(readCrioFacts, (host) =>
      host.addProcess(9, "crio", ["/usr/bin/crio", "--hooks-dir", "/flag", "--config-dir=/opt/crio.d"]),
    );
    expect(facts).toMatchObject({ hooksDirs: ["/flag"], isHooksDirFixed: true, dropInFolder: "/opt/crio.d" });
  });

  test("is installed as soon as its executable is", () => {
    const isThere = (lay: (host: InstallHost) => void) => readOnHost(readCrioFacts, lay).isThere;
    expect(isThere(() => {})).toBe(false);
    expect(isThere((host) => host.write("/usr/bin/crio", "", 0o755))).toBe(true);
  });
});
