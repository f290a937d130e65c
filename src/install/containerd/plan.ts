import { TOML_DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";
import { MEMORY_QOS_FILE, nriServiceSteps } from "./nri-service.ts";

/** How containerd is configured, without what wasp configures. */
export interface ContainerdFacts {
  /** Whether there is one on the host. */
  readonly isThere: boolean;
  /** The distribution of Kubernetes that starts it and writes its configuration, such as k3s; undefined for none. */
  readonly distribution: string | undefined;
  /** As in 1.7.24; undefined where it cannot be told, as in an image. */
  readonly version: string | undefined;
  /** Its configuration file. */
  readonly configFile: string;
  /** Whether that is there, and somebody else's: without one, containerd has its defaults. */
  readonly isConfigured: boolean;
  /** A folder of which it imports every file that ends in .toml; undefined for none. */
  readonly importedFolder: string | undefined;
  /** Whether it serves no kubelet, as where Docker has it. */
  readonly isCriOff: boolean;
  /** The file that configures NRI, and whether it turns it off, if it says so; undefined where none does. */
  readonly nri: { readonly file: string; readonly isDisabled: boolean | undefined } | undefined;
  /** The file that has NRI refuse plugins that the runtime did not start itself; undefined for none. */
  readonly connectionsRefusedBy: string | undefined;
  /** The files that cannot be understood, each with what is wrong. */
  readonly problems: readonly string[];
}

/** What else bears on the service. */
export interface NriCompany {
  /** Whether the executable is there, or comes with the same run. */
  readonly hasBinary: boolean;
  /** Whether the administrator gave it classes for memory. */
  readonly hasMemoryQos: boolean;
}

const PART = "containerd";

/** What NRI is called among containerd's plugins. */
export const NRI_TABLE = "io.containerd.nri.v1.nri";

/** The lines that turn NRI on at the end of a configuration file of somebody else's. */
export const NRI_LINES: readonly string[] = [
  `[plugins."${NRI_TABLE}"] # by wasp install`,
  "  disable = false # by wasp install",
];

/** The file that turns NRI on where none of somebody else's is in its place. */
export const NRI_FILE = [WRITTEN_BY, "version = 2", `[plugins."${NRI_TABLE}"]`, "  disable = false", ""].join(
  "\n",
);

/**
 * Plans the way of wasp's limits into containerd's containers: containerd has no folder for hooks, so that NRI is turned
 * on, and `wasp nri` runs as a service.
 */
export function planContainerd(
  facts: ContainerdFacts,
  company: NriCompany,
  options: InstallOptions,
): PartPlan {
  const nothing: PartPlan = { part: PART, steps: [], refusals: [], notes: [] };
  if (!facts.isThere) return nothing;
  if (facts.isCriOff)
    return { ...nothing, notes: ["containerd's CRI is off: it serves no kubelet, and is left as it is"] };
  if (isBefore(facts.version, 1, 7))
    return {
      ...nothing,
      notes: [
        `containerd ${facts.version} has no NRI, which came with 1.7: its containers get their swap limits from wasp agent, shortly after they start`,
      ],
    };
  const isOn = isNriOn(facts);
  const enabling = isOn || facts.distribution !== undefined ? [] : enablingSteps(facts);
  return {
    part: PART,
    steps: [
      ...enabling,
      ...(enabling.length > 0 && options.restart ? [RESTART] : []),
      ...nriServiceSteps(options.binaryPath, company.hasMemoryQos),
    ],
    refusals: refusalsOf(facts, company, options),
    notes: [
      ...(isOn || facts.distribution === undefined
        ? []
        : [
            `${facts.distribution} writes its containerd's configuration anew at each start: have it write disable = false into [plugins."${NRI_TABLE}"], if its containerd is older than 2.0`,
          ]),
      ...(enabling.length > 0 && !options.restart
        ? ["containerd offers NRI once it is restarted, which stops no container: --restart does that"]
        : []),
      ...(company.hasMemoryQos
        ? []
        : [
            `classes for memory are read from ${MEMORY_QOS_FILE}, once it is there and wasp is installed again`,
          ]),
    ],
  };
}

const RESTART: Step = {
  kind: "command",
  part: PART,
  argv: ["systemctl", "restart", "containerd.service"],
  when: "changed",
};

function refusalsOf(
  facts: ContainerdFacts,
  { hasBinary }: NriCompany,
  { binaryPath }: InstallOptions,
): readonly string[] {
  const { nri, connectionsRefusedBy, problems } = facts;
  return [
    ...problems,
    // A table cannot be in a file twice, and one in an imported file takes the place of all of it.
    ...(nri !== undefined && !isNriOn(facts)
      ? [
          `${nri.file} configures NRI, and leaves it off: set disable = false in its [plugins."${NRI_TABLE}"], or --skip ${PART}, which leaves its containers to wasp agent`,
        ]
      : []),
    ...(connectionsRefusedBy === undefined
      ? []
      : [
          `${connectionsRefusedBy} has disable_connections = true in its [plugins."${NRI_TABLE}"]: set it to false, or --skip ${PART}`,
        ]),
    ...(hasBinary ? [] : [`the service runs ${binaryPath}, which is no executable: install the binary too`]),
  ];
}

function isNriOn(facts: ContainerdFacts): boolean {
  return facts.nri?.isDisabled === undefined ? isOnByDefault(facts) : !facts.nri.isDisabled;
}

function enablingSteps({ nri, configFile, isConfigured, importedFolder }: ContainerdFacts): readonly Step[] {
  // There is a table already, which is refused.
  if (nri !== undefined) return [];
  const why = "containerd 1.7 has NRI turned off unless it is told";
  const file = (path: string): Step => ({ kind: "file", part: PART, path, text: NRI_FILE, mode: 0o644, why });
  if (importedFolder !== undefined) return [file(`${importedFolder}/${TOML_DROP_IN}`)];
  if (!isConfigured) return [file(configFile)];
  return NRI_LINES.map((line) => ({ kind: "line", part: PART, path: configFile, line, why }));
}

// Since 2.0 (containerd:docs/NRI.md).
function isOnByDefault({ version }: ContainerdFacts): boolean {
  return version !== undefined && !isBefore(version, 2, 0);
}

function isBefore(version: string | undefined, major: number, minor: number): boolean {
  if (version === undefined) return false;
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
