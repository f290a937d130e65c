import type { SwapOptions, SwapTarget } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";
import { assessDevice, isStablePath } from "./device-place.ts";
import type { SwapFacts } from "./facts.ts";
import { assessFile } from "./file-place.ts";
import { enoughNote, noRequestNote, otherSwapNotes, priorityNote } from "./notes.ts";
import type { PlaceAssessment, RequestedSize } from "./place.ts";
import { SWAP_SCRIPT_PATH } from "./script.ts";
import { type SwapSetup, setupSteps, swapSetup } from "./setup.ts";
import { MIN_SWAP_BYTES, SIZE_REQUIRED, sizingOf } from "./size.ts";
import { describe, effectiveOptions, specInScript } from "./spec.ts";
import { assessZram } from "./zram-place.ts";

type Place = NonNullable<SwapFacts["place"]>;

/** Plans the swap of a node: the script and units that set it up at each boot, and the commands that set it up now. */
export function planSwap(facts: SwapFacts, given: SwapOptions): PartPlan {
  const options = effectiveOptions(given, facts.script);
  const { active, others, place } = facts;
  if (place === undefined) return partPlan("swap", { notes: [noRequestNote(others)] });
  const requested = requestedSizeOf(facts, options);
  if (hasEnough(facts, options, requested)) return partPlan("swap", { notes: [enoughNote(others)] });
  const assessment = assessPlace(place, requested);
  const isOfOthers = active !== undefined && !assessment.isOwn && facts.script === undefined;
  if (isOfOthers && !isToBeEncrypted(place)) return partPlan("swap", { notes: [enoughNote([active])] });

  const target = persistentTarget(place);
  const setup = swapSetup({ ...options, target, size: place.kind === "device" ? undefined : options.size });
  if (setup === undefined)
    return partPlan("swap", { refusals: [`${describe(target)}: systemd has no unit name for this path`] });
  const refusals = [
    ...otherTargetRefusals(facts, target),
    ...facts.missingPrograms.map(missingRefusal),
    ...sizeRefusals(place, requested),
    ...assessment.refusals,
  ];
  if (refusals.length > 0) return partPlan("swap", { refusals });
  return partPlan("swap", {
    steps: setupSteps(setup, { isOn: active !== undefined, why: requested.sizing?.arithmetic }),
    notes: [
      ...assessment.notes,
      ...otherSwapNotes(others, target, setup.priority),
      ...activationNotes(facts, setup),
    ],
  });
}

/** Returns the file or device that a plan swaps to; undefined for zram, or for a plan without swap. */
export function diskOfPlan({ steps }: PartPlan): string | undefined {
  const script = steps.find((step) => step.kind === "file" && step.path === SWAP_SCRIPT_PATH);
  const target = script?.kind === "file" ? specInScript(script.text)?.target : undefined;
  return target === undefined || target.kind === "zram" ? undefined : target.path;
}

function requestedSizeOf({ memory }: SwapFacts, { size }: SwapOptions): RequestedSize {
  const isKnown = size?.kind === "bytes" || memory !== undefined;
  const sizing = size === undefined || !isKnown ? undefined : sizingOf(size, memory?.totalBytes ?? 0);
  return { size, sizing, memory };
}

/** Returns true if other swap on disks suffices: no place is selected, and wasp has not set up swap before. */
function hasEnough(
  { others, script }: SwapFacts,
  { target }: SwapOptions,
  { sizing }: RequestedSize,
): boolean {
  const onDisks = others.filter(({ medium }) => medium !== "zram");
  const bytes = onDisks.reduce((sum, area) => sum + area.sizeBytes, 0);
  if (target !== undefined || script !== undefined) return false;
  return sizing !== undefined && bytes > 0 && bytes >= sizing.bytes;
}

function assessPlace(place: Place, requested: RequestedSize): PlaceAssessment {
  switch (place.kind) {
    case "file":
      return assessFile(place, requested);
    case "device":
      return assessDevice(place, requested);
    case "zram":
      return assessZram(place, requested);
  }
}

function isToBeEncrypted(place: Place): boolean {
  return place.kind === "device" && place.isEncrypted;
}

/** Returns the target by a persistent name: the kernel's own name may be another disk's after the next boot. */
function persistentTarget(place: Place): SwapTarget {
  if (place.kind !== "device") return place;
  const { kind, path, isEncrypted, device } = place;
  const persistent = typeof device === "object" && !isStablePath(path) ? device.stablePath : undefined;
  return { kind, path: persistent ?? path, isEncrypted };
}

function otherTargetRefusals({ script }: SwapFacts, target: SwapTarget): readonly string[] {
  const made = script === undefined ? undefined : specInScript(script)?.target;
  if (made === undefined || describe(made) === describe(target)) return [];
  return [
    `wasp's swap is on ${describe(made)}, and ${describe(target)} is requested: remove the former first (wasp uninstall --only swap)`,
  ];
}

const PACKAGES: Readonly<Record<string, string>> = {
  cryptsetup: "cryptsetup-bin on Debian, cryptsetup on RHEL",
  chattr: "e2fsprogs",
  modprobe: "kmod",
};

function missingRefusal(program: string): string {
  return `the program ${program} is missing: install ${PACKAGES[program] ?? "util-linux"}`;
}

function sizeRefusals(place: Place, { size, sizing }: RequestedSize): readonly string[] {
  if (place.kind === "device") return [];
  if (size === undefined) return [SIZE_REQUIRED];
  if (sizing === undefined || sizing.bytes >= MIN_SWAP_BYTES) return [];
  return [`${sizing.arithmetic}, which is less than 1 MiB: choose a larger size`];
}

function activationNotes(
  { active, memory }: SwapFacts,
  { priority, unitToStart }: SwapSetup,
): readonly string[] {
  if (memory === undefined) return ["the swap is made when a node boots from the image"];
  if (active === undefined) return ["the kubelet detects swap only when it starts"];
  const isDifferent = priority !== undefined && active.priority !== priority;
  return isDifferent ? [priorityNote(active, priority, unitToStart)] : [];
}
