import * as v from "valibot";
import type { InstallOptions } from "../../install/engine/options.ts";
import { chooseParts, PARTS, type Part } from "../../install/engine/part.ts";
import { parseQuantity } from "../../policy/kubernetes/quantity.ts";
import { readFlags } from "../flags.ts";
import {
  AbsolutePathSchema,
  choiceSchema,
  complaintOf,
  flagName,
  RootSchema,
  SwitchSchema,
} from "../value-schemas.ts";
import { flagsWithoutManifest, PLATFORMS, type Platform } from "./print.ts";
import { flagsWithoutHost, REMOTE_KNOBS, type RemoteConfig, remoteOf } from "./remote.ts";
import { INSTALL_SWAP_KNOBS, swapOptions } from "./swap.ts";

const PartsSchema = v.array(choiceSchema(PARTS));
const known = PARTS.join(", ");

// What both commands have.
const TARGET_KNOBS = {
  root: v.pipe(
    v.optional(RootSchema),
    v.description(
      "Change the image of a host in this folder: nothing is run, and no running kernel is looked at",
    ),
  ),
  fsroot: v.pipe(
    v.optional(RootSchema, "/"),
    v.description(
      "Where the running host's root is, if not at /, as in a container; commands are run by chroot",
    ),
  ),
  chroot: v.pipe(
    v.optional(RootSchema),
    v.description(
      "Go into the running host whose whole root is in this folder, as in a privileged container, and change it from there",
    ),
  ),
  only: v.pipe(v.optional(PartsSchema, []), v.description(`Only this part, of ${known}; may be given again`)),
  skip: v.pipe(v.optional(PartsSchema, []), v.description("All but this part; may be given again")),
  dryRun: v.pipe(v.optional(SwitchSchema, false), v.description("Show what would be done, and do nothing")),
  output: v.pipe(
    v.optional(choiceSchema(["text", "json"]), "text"),
    v.description("Lines for people, or one JSON document"),
    v.metadata({ letter: "o" }),
  ),
};

const ThresholdSchema = v.pipe(
  v.string(),
  v.check(
    (text) => ["Auto", "Off"].includes(text) || isPercentage(text) || (parseQuantity(text) ?? 0) > 0,
    "is neither Auto, Off, a quantity such as 1Gi, nor a percentage such as 10%",
  ),
);

/** Every flag of `wasp install`. */
export const InstallFlagsSchema = v.strictObject({
  ...TARGET_KNOBS,
  ...REMOTE_KNOBS,
  check: v.pipe(
    v.optional(SwitchSchema, false),
    v.description(
      "Tell what the host lacks of all that wasp needs and installs, and change nothing: exit status 0 for nothing, 1 for errors, 3 for warnings or what cannot be told",
    ),
  ),
  print: v.pipe(
    v.optional(choiceSchema(PLATFORMS)),
    v.description(
      "Print the manifests that do the same to the workers of such a cluster, for kubectl apply -f -, and change nothing",
    ),
  ),
  image: v.pipe(
    v.optional(v.pipe(v.string(), v.nonEmpty("is no image"))),
    v.description(
      "With --print kubernetes, wasp's image as a registry has it; unset, the one that was loaded on each node",
    ),
  ),
  restart: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Restart the kubelet, CRI-O and containerd where their settings change"),
  ),
  binaryPath: v.pipe(
    v.optional(AbsolutePathSchema, "/usr/local/bin/wasp"),
    v.description("Where the executable is copied to, and the hook looks for it"),
  ),
  evictionSoft: v.pipe(
    v.optional(ThresholdSchema, "Auto"),
    v.description(
      "The kubelet's soft eviction threshold of memory.available if it has none: a quantity, a percentage, Off, or Auto for 1Gi, or 10% of a node with less than 10Gi",
    ),
  ),
  ...INSTALL_SWAP_KNOBS,
  ignoreKubelet: v.pipe(
    v.optional(SwitchSchema, false),
    v.description(
      "Set swap up although the kubelet, as it is configured here, would not start with it the next time",
    ),
  ),
});

/** Every flag of `wasp uninstall`. */
export const UninstallFlagsSchema = v.strictObject({
  ...TARGET_KNOBS,
  ...REMOTE_KNOBS,
  limits: v.pipe(
    v.optional(choiceSchema(["Zero", "Keep"]), "Zero"),
    v.description("What becomes of the swap limits of the containers that run, once the hook is gone"),
  ),
});

/** On what host wasp is installed or uninstalled, and how that is shown. */
export interface Target {
  /** The folder of the host's root, as a prefix: empty for this host's own. */
  readonly fsroot: string;
  /** The folder of the whole root of a running host, which is to be gone into; undefined for this one's own. */
  readonly chroot: string | undefined;
  /** Whether it is an image, that does not run. */
  readonly isImage: boolean;
  readonly parts: readonly Part[];
  readonly dryRun: boolean;
  readonly output: "text" | "json";
  /** Other hosts, instead of this one. */
  readonly remote: RemoteConfig | undefined;
}

/** The configuration of `wasp install`. */
export interface InstallConfig extends Target {
  /** Whether the host is looked at, and nothing is planned. */
  readonly check: boolean;
  /** The cluster for which manifests are printed, and nothing else is done. */
  readonly print: Platform | undefined;
  /** The image of the manifests; undefined for the one that is loaded on each node. */
  readonly image: string | undefined;
  readonly options: InstallOptions;
}

/** The configuration of `wasp uninstall`. */
export interface UninstallConfig extends Target {
  /** What becomes of running containers' swap limits. */
  readonly limits: "Zero" | "Keep";
}

/** Reads the configuration of `wasp install`; throws one error that complains of all that is wrong, a line each. */
export function loadInstallConfig(argv: readonly string[]): InstallConfig {
  const flags = parse(argv, InstallFlagsSchema);
  const { check, print, image, binaryPath, evictionSoft, restart, ignoreKubelet } = flags;
  refuseIdle(print, readFlags(argv, InstallFlagsSchema));
  if (check && (restart || ignoreKubelet || flags.only.length > 0 || flags.skip.length > 0))
    throw new Error(
      "--check looks at all parts and changes nothing: leave --only, --skip, --restart and --ignore-kubelet out",
    );
  const options = { binaryPath, evictionSoft, restart, swap: swapOptions(flags), ignoreKubelet };
  return { ...targetOf(flags), check, print, image, options };
}

function refuseIdle(print: Platform | undefined, given: Readonly<Record<string, unknown>>): void {
  if (print === undefined && "image" in given)
    throw new Error("--image: of what? it is for --print kubernetes");
  const idle = print === undefined ? [] : flagsWithoutManifest(given, print);
  if (idle.length > 0)
    throw new Error(
      `--print ${print} tells of the workers of a cluster, and changes no host: leave ${idle.join(", ")} out`,
    );
}

/** Reads the configuration of `wasp uninstall`; throws as loadInstallConfig does. */
export function loadUninstallConfig(argv: readonly string[]): UninstallConfig {
  const { limits, ...target } = parse(argv, UninstallFlagsSchema);
  return { ...targetOf(target), limits };
}

function parse<Entries extends v.ObjectEntries>(
  argv: readonly string[],
  schema: v.StrictObjectSchema<Entries, undefined>,
): v.InferOutput<typeof schema> {
  const given = readFlags(argv, schema);
  if (!("ssh" in given) && !("hosts" in given)) {
    const idle = flagsWithoutHost(given);
    if (idle.length > 0)
      throw new Error(`${idle.join(", ")}: for other hosts, and neither --ssh nor --hosts names one`);
  }
  const result = v.safeParse(schema, given);
  if (!result.success) throw new Error(result.issues.map(complaint).join("\n"));
  return result.output;
}

function complaint(issue: v.BaseIssue<unknown>): string {
  return `--${flagName(String(issue.path?.[0]?.key))}: ${complaintOf(issue)}`;
}

type TargetKnobs = v.InferOutput<v.ObjectSchema<typeof TARGET_KNOBS & typeof REMOTE_KNOBS, undefined>>;

function targetOf({ root, fsroot, chroot, only, skip, dryRun, output, ...where }: TargetKnobs): Target {
  const remote = remoteOf(where);
  if (root !== undefined && remote !== undefined)
    throw new Error("--root: an image is made ready on the host that has it, not over ssh");
  const places = { "--root": root, "--fsroot": fsroot || undefined, "--chroot": chroot };
  const given = Object.entries(places).flatMap(([flag, place]) => (place === undefined ? [] : flag));
  if (given.length > 1) throw new Error(`${given.join(" and ")}: only one of them can be meant`);
  // The host's own root is no image: what runs on it would be left out in silence.
  if (root === "") throw new Error("--root: / is the running host's root; leave the flag out");
  const parts = chooseParts(only, skip);
  if (parts.length === 0) throw new Error(`--only and --skip leave no part; the parts are ${known}`);
  return { fsroot: root ?? fsroot, chroot, isImage: root !== undefined, parts, dryRun, output, remote };
}

function isPercentage(text: string): boolean {
  return /^\d{1,2}(\.\d+)?%$/.test(text) && Number.parseFloat(text) > 0;
}
