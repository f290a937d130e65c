import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { type ContainerdFacts, NRI_LINES } from "../../../src/install/containerd/plan.ts";
import { readContainerdFacts } from "../../../src/install/containerd/read.ts";
import { type Host, imageHost, runningHost } from "../../../src/install/target/host.ts";
import { InstallHost } from "../../node/install-host.ts";
import { PROGRAM, readOnHost } from "../read-on-host.ts";

describe("containerd", () => {
  /** Makes a reader for a host whose programs print nothing. */
  const withSilentPrograms =
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
  ])("is found by %s", (_, lay, isThere) => {
    expect(readOnHost(withSilentPrograms(readContainerdFacts), lay).isThere).toBe(isThere);
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
      "other settings of NRI",
      { [CONFIG]: table('socket_path = "/s"') },
      { nri: { file: CONFIG, isDisabled: undefined } },
    ],
    [
      "NRI that refuses plugins",
      { [CONFIG]: table("disable_connections = true") },
      { connectionsRefusedBy: CONFIG },
    ],
    [
      "NRI disabled as a plugin",
      { [CONFIG]: 'disabled_plugins = ["io.containerd.nri.v1.nri"]\n' },
      { nri: { file: CONFIG, isDisabled: true } },
    ],
    ["Docker's", { [CONFIG]: 'disabled_plugins = ["cri"]\n' }, { isCriOff: true, nri: undefined }],
    ["wasp's own lines", { [CONFIG]: `version = 2\n${NRI_LINES.join("\n")}\n` }, { nri: undefined }],
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
    const found = readOnHost(withSilentPrograms(readContainerdFacts), (host) => {
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
  ])("that prints the version %j is %p", (output, version) => {
    using host = new InstallHost();
    host.write("/usr/bin/containerd", "", 0o755);
    const running = { ...runningHost(host.root, PROGRAM), run: () => `${output}\n` };
    expect(readContainerdFacts(running).version).toBe(version);
    expect(readContainerdFacts(imageHost(host.root, PROGRAM)).version).toBeUndefined();
  });
});
