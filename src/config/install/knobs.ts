import * as v from "valibot";
import type { InstallOptions } from "../../install/engine/options.ts";
import { chooseParts, PARTS, type Part } from "../../install/engine/part.ts";
import { parseQuantity } from "../../policy/kubernetes/quantity.ts";
import { flagComplaint } from "../complaint.ts";
import { readFlags, refuseBoth } from "../flags.ts";
import { knob, optionalKnob, switchKnob } from "../knob.ts";
import { AbsolutePathSchema, choiceSchema, RootSchema } from "../value-schemas.ts";
import { flagsWithoutManifest, PLATFORMS, type Platform } from "./print-flags.ts";
import { flagsWithoutHost, REMOTE_KNOBS, type RemoteConfig, remoteOf } from "./remote-knobs.ts";
import { INSTALL_SWAP_KNOBS, swapOptions } from "./swap-knobs.ts";

const PartsSchema = v.array(choiceSchema(PARTS));
const PART_NAMES = PARTS.join(", ");

// Common to both commands.
const TARGET_KNOBS = {
  root: optionalKnob(
    RootSchema,
    "Change the image of a host in this folder: no command is run, and no running kernel is read",
  ),
  fsroot: knob(
    RootSchema,
    "/",
    "Root folder of the running host, if it is not /, as in a container; commands are run with chroot",
  ),
  chroot: optionalKnob(
    RootSchema,
    "Enter the running host whose whole root is in this folder, as in a privileged container, and change it from there",
  ),
  only: knob(PartsSchema, [], `Only this part, of ${PART_NAMES}; repeatable`),
  skip: knob(PartsSchema, [], "Without this part; repeatable"),
  dryRun: switchKnob("Show what would be changed, without changing it"),
  output: v.pipe(
    v.optional(choiceSchema(["text", "json"]), "text"),
    v.description("Lines for people, or one JSON document"),
    v.metadata({ letter: "o" }),
  ),
};

const EvictionSoftSchema = v.pipe(
  v.string(),
  v.check(
    (text) => ["Auto", "Off"].includes(text) || isPercentage(text) || (parseQuantity(text) ?? 0) > 0,
    "is not Auto, Off, a quantity such as 1Gi or a percentage such as 10%",
  ),
);

/** Flags of `wasp install`. */
export const InstallFlagsSchema = v.strictObject({
  ...TARGET_KNOBS,
  ...REMOTE_KNOBS,
  check: switchKnob(
    "Check the host for all that wasp needs and installs, without changes: exit status 0 if complete, 1 for errors, 3 for warnings or unknown results",
  ),
  print: optionalKnob(
    choiceSchema(PLATFORMS),
    "Print manifests that do the same on the workers of such a cluster, for kubectl apply -f -, without changing this host",
  ),
  image: optionalKnob(
    v.pipe(v.string(), v.nonEmpty("is empty")),
    "With --print kubernetes, wasp's image in a registry; unset, the image loaded on each node",
  ),
  restart: switchKnob("Restart the kubelet, CRI-O and containerd if their settings change"),
  binaryPath: knob(
    AbsolutePathSchema,
    "/usr/local/bin/wasp",
    "Path to which the executable is copied, and from which the hook runs it",
  ),
  evictionSoft: knob(
    EvictionSoftSchema,
    "Auto",
    "Soft eviction threshold of memory.available for a kubelet without one: a quantity, a percentage, Off, or Auto for 1Gi, or 10% on a node with less than 10Gi",
  ),
  ...INSTALL_SWAP_KNOBS,
  ignoreKubelet: switchKnob(
    "Set up swap although the kubelet, with its configuration on this host, would not restart with swap on",
  ),
});

/** Flags of `wasp uninstall`. */
export const UninstallFlagsSchema = v.strictObject({
  ...TARGET_KNOBS,
  ...REMOTE_KNOBS,
  limits: knob(
    choiceSchema(["Zero", "Keep"]),
    "Zero",
    "Swap limits of running containers after the hook is removed: set to zero, or kept",
  ),
});

/** Host on which wasp is installed or uninstalled, and the form of the output. */
export interface Target {
  /** Folder of the host's root, as a prefix of paths: empty for this host's own. */
  readonly fsroot: string;
  /** Folder of the whole root of a running host, which is entered; undefined for this host's own. */
  readonly chroot: string | undefined;
  /** True for an image, which is not running. */
  readonly isImage: boolean;
  readonly parts: readonly Part[];
  readonly dryRun: boolean;
  readonly output: "text" | "json";
  /** Other hosts instead of this one; undefined for this one. */
  readonly remote: RemoteConfig | undefined;
}

/** Configuration of `wasp install`. */
export interface InstallConfig extends Target {
  /** True to check the host only. */
  readonly check: boolean;
  /** Platform for which manifests are printed, without any other action; undefined to install. */
  readonly print: Platform | undefined;
  /** Image in the manifests; undefined for the one loaded on each node. */
  readonly image: string | undefined;
  readonly options: InstallOptions;
}

/** Configuration of `wasp uninstall`. */
export interface UninstallConfig extends Target {
  /** New swap limits of running containers. */
  readonly limits: "Zero" | "Keep";
}

/** Reads the configuration of `wasp install`; throws one Error with a line for each complaint. */
export function loadInstallConfig(argv: readonly string[]): InstallConfig {
  const flags = parseFlags(argv, InstallFlagsSchema);
  const { check, print, image, binaryPath, evictionSoft, restart, ignoreKubelet } = flags;
  refuseUnusedFlags(print, readFlags(argv, InstallFlagsSchema));
  if (check && (restart || ignoreKubelet || flags.only.length > 0 || flags.skip.length > 0))
    throw new Error(
      "--check checks all parts and changes nothing: it excludes --only, --skip, --restart and --ignore-kubelet",
    );
  const options = { binaryPath, evictionSoft, restart, swap: swapOptions(flags), ignoreKubelet };
  return { ...targetFrom(flags), check, print, image, options };
}

function refuseUnusedFlags(print: Platform | undefined, given: Readonly<Record<string, unknown>>): void {
  if (print === undefined && "image" in given)
    throw new Error("--image is only valid with --print kubernetes");
  const unused = print === undefined ? [] : flagsWithoutManifest(given, print);
  if (unused.length > 0)
    throw new Error(`--print ${print} changes no host: it excludes ${unused.join(", ")}`);
}

/** Reads the configuration of `wasp uninstall`; throws as loadInstallConfig does. */
export function loadUninstallConfig(argv: readonly string[]): UninstallConfig {
  const { limits, ...target } = parseFlags(argv, UninstallFlagsSchema);
  return { ...targetFrom(target), limits };
}

function parseFlags<Entries extends v.ObjectEntries>(
  argv: readonly string[],
  schema: v.StrictObjectSchema<Entries, undefined>,
): v.InferOutput<typeof schema> {
  const given = readFlags(argv, schema);
  if (!("ssh" in given) && !("hosts" in given)) {
    const unused = flagsWithoutHost(given);
    if (unused.length > 0) throw new Error(`${unused.join(", ")}: only valid with --ssh or --hosts`);
  }
  const result = v.safeParse(schema, given);
  if (!result.success) throw new Error(result.issues.map(flagComplaint).join("\n"));
  return result.output;
}

type TargetKnobs = v.InferOutput<v.ObjectSchema<typeof TARGET_KNOBS & typeof REMOTE_KNOBS, undefined>>;

function targetFrom({ root, fsroot, chroot, only, skip, dryRun, output, ...where }: TargetKnobs): Target {
  const remote = remoteOf(where);
  if (root !== undefined && remote !== undefined)
    throw new Error(
      "--root: an image can only be changed on the host that has it, not with --ssh or --hosts",
    );
  refuseBoth({ "--root": root, "--fsroot": fsroot || undefined, "--chroot": chroot });
  // The host's own root is not an image: the running host would silently not be changed.
  if (root === "") throw new Error("--root: / is the running host's root; leave the flag out");
  const parts = chooseParts(only, skip);
  if (parts.length === 0) throw new Error(`--only and --skip leave no part; the parts are ${PART_NAMES}`);
  return { fsroot: root ?? fsroot, chroot, isImage: root !== undefined, parts, dryRun, output, remote };
}

function isPercentage(text: string): boolean {
  return /^\d{1,2}(\.\d+)?%$/.test(text) && Number.parseFloat(text) > 0;
}
