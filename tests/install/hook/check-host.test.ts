import { describe } from "bun:test";
import { type Breakage, hookText, testBreakages } from "../check/checked-host.ts";

const HOOKS = "/usr/share/containers/oci/hooks.d";
const ETC_HOOKS = "/etc/containers/oci/hooks.d";
const OVERRIDE = `[crio.runtime]\nhooks_dir = [\n  "${HOOKS}", # the default\n  "${ETC_HOOKS}",\n]\n`;

const BREAKAGES: readonly Breakage[] = [
  [
    "hook",
    "the executable is removed",
    (host) => host.remove("/usr/local/bin/wasp"),
    "error",
    "is not there",
  ],
  ["hook", "the shell is removed", (host) => host.remove("/bin/sh"), "error", "/bin/sh is not there"],
  [
    "hook",
    "an absolute link is the shell",
    (host) => {
      host.remove("/bin/sh");
      host.write("/bin/the-only-shell", "", 0o755);
      host.link("/bin/sh", "/bin/the-only-shell");
    },
    "ok",
    "wasp-swap.json",
  ],
  [
    "hook",
    "one of an earlier wasp, without a guard",
    (host) => {
      const { hook, ...rest } = JSON.parse(hookText(host));
      const earlier = { ...rest, hook: { ...hook, path: "/usr/local/bin/wasp", args: ["wasp", "hook"] } };
      host.write(`${HOOKS}/wasp-swap.json`, JSON.stringify(earlier));
    },
    "warning",
    "without its guard",
  ],
  ["hook", "removed", (host) => host.remove(`${HOOKS}/wasp-swap.json`), "error", "no hook runs wasp"],
  [
    "hook",
    "cut off",
    (host) => host.write(`${HOOKS}/wasp-swap.json`, hookText(host).slice(0, 90)),
    "error",
    "not JSON",
  ],
  [
    "hook",
    "an empty one of its name in a later folder",
    (host) => {
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", OVERRIDE);
      host.write(
        `${ETC_HOOKS}/wasp-swap.json`,
        hookText(host).replace(/"when":\{.*?\}\}/, '"when":{"always":false}'),
      );
    },
    "error",
    `${ETC_HOOKS}/wasp-swap.json: its conditions never hold`,
  ],
  [
    "hook-loaded",
    "in a folder that is not configured",
    (host) => {
      host.write(`${ETC_HOOKS}/wasp-swap.json`, hookText(host));
      host.remove(`${HOOKS}/wasp-swap.json`);
    },
    "error",
    `not in a folder of hooks_dir: ${HOOKS}`,
  ],
  [
    "hook-loaded",
    "in a folder that a drop-in configures",
    (host) => {
      host.write("/etc/crio/crio.conf", `[crio.runtime]\nhooks_dir = ["${HOOKS}"]\n`);
      host.write("/etc/crio/crio.conf.d/50-wasp.conf", OVERRIDE);
      host.write(`${ETC_HOOKS}/wasp-swap.json`, hookText(host));
      host.remove(`${HOOKS}/wasp-swap.json`);
    },
    "ok",
    `${HOOKS}, ${ETC_HOOKS}`,
  ],
  [
    "hook-loaded",
    "a later drop-in takes the folder away",
    (host) =>
      host.write("/etc/crio/crio.conf.d/99-site.conf", `[crio.runtime]\nhooks_dir = ["${ETC_HOOKS}"]\n`),
    "error",
    `not in a folder of hooks_dir: ${ETC_HOOKS}`,
  ],
  [
    "hook-loaded",
    "a flag of CRI-O's takes the folder away",
    (host) => host.addProcess(700, ["/usr/bin/crio", "--hooks-dir", `${ETC_HOOKS},/opt/hooks`]),
    "error",
    `hooks_dir: ${ETC_HOOKS}, /opt/hooks`,
  ],
  [
    "hook-loaded",
    "CRI-O's environment names another configuration",
    (host) => {
      host.addProcess(700, ["/usr/bin/crio"], ["PATH=/bin", "CONTAINER_CONFIG_DIR=/srv/crio"]);
      host.write("/srv/crio/nested/a", `[crio.runtime]\nhooks_dir = ["${ETC_HOOKS}"]\n`);
    },
    "error",
    `hooks_dir: ${ETC_HOOKS}`,
  ],
  [
    "hooks-valid",
    "another's is cut off",
    (host) => host.write(`${HOOKS}/a.json`, "{"),
    "error",
    `${HOOKS}/a.json: not JSON`,
  ],
  ["hooks-valid", "what is no JSON file", (host) => host.write(`${HOOKS}/README`, "{"), "ok", ""],
];

describe("a host with a fault of the hook", () => testBreakages(BREAKAGES));
