import type { SwapOptions, SwapTarget } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import { isStablePath, judgeDevice } from "./device-place.ts";
import type { SwapFacts } from "./facts.ts";
import { judgeFile } from "./file-place.ts";
import { enoughNote, otherSwapNotes, priorityNote, unchosenNote } from "./notes.ts";
import type { Judgement, SizeAsked } from "./place.ts";
import { SWAP_SCRIPT_PATH } from "./script.ts";
import { type SwapSetup, swapSetup } from "./setup.ts";
import { SIZE_MISSING, sizing } from "./size.ts";
import { chosenSwap, describe, specInScript } from "./spec.ts";
import { setupSteps } from "./steps.ts";
import { judgeZram } from "./zram-place.ts";

type Place = NonNullable<SwapFacts["place"]>;

/** Plans a node's swap: the script and the units that make it at each start, and the commands that make it now. */
export function planSwap(facts: SwapFacts, asked: SwapOptions): PartPlan {
  const options = chosenSwap(asked, facts.script);
  const { active, others, place } = facts;
  if (place === undefined) return noted(unchosenNote(others));
  const sizeAsked = sizeAskedOf(facts, options);
  if (hasEnough(facts, options, sizeAsked)) return noted(enoughNote(others));
  const judgement = judge(place, sizeAsked);
  const isForeign = active !== undefined && !judgement.isOwn && facts.script === undefined;
  if (isForeign && !isToBeEncrypted(place)) return noted(enoughNote([active]));

  const target = lastingTarget(place);
  const setup = swapSetup({ ...options, target, size: place.kind === "device" ? undefined : options.size });
  if (setup === undefined) return refused([`${describe(target)}: no systemd unit can have its path`]);
  const refusals = [
    ...otherTargetRefusals(facts, target),
    ...facts.missingPrograms.map(missingRefusal),
    ...sizeRefusals(place, sizeAsked),
    ...judgement.refusals,
  ];
  if (refusals.length > 0) return refused(refusals);
  return {
    part: "swap",
    steps: setupSteps(setup, { isOn: active !== undefined, why: sizeAsked.asked?.arithmetic }),
    refusals: [],
    notes: [
      ...judgement.notes,
      ...otherSwapNotes(others, target, setup.priority),
      ...startNotes(facts, setup),
    ],
  };
}

/** The file or the device that a plan would have swapped to; undefined if there is none, or if it is in memory. */
export function diskOfPlan({ steps }: PartPlan): string | undefined {
  const script = steps.find((step) => step.kind === "file" && step.path === SWAP_SCRIPT_PATH);
  const target = script?.kind === "file" ? specInScript(script.text)?.target : undefined;
  return target === undefined || target.kind === "zram" ? undefined : target.path;
}

function noted(note: string): PartPlan {
  return { part: "swap", steps: [], refusals: [], notes: [note] };
}

function refused(refusals: readonly string[]): PartPlan {
  return { part: "swap", steps: [], refusals, notes: [] };
}

function sizeAskedOf({ memory }: SwapFacts, { size }: SwapOptions): SizeAsked {
  const isKnown = size?.kind === "bytes" || memory !== undefined;
  const asked = size === undefined || !isKnown ? undefined : sizing(size, memory?.totalBytes ?? 0);
  return { size, asked, memory };
}

/** Where no place was chosen, and wasp made none before, any swap does that is not in memory. */
function hasEnough({ others, script }: SwapFacts, { target }: SwapOptions, { asked }: SizeAsked): boolean {
  const onDisks = others.filter(({ medium }) => medium !== "zram");
  const bytes = onDisks.reduce((sum, area) => sum + area.sizeBytes, 0);
  if (target !== undefined || script !== undefined) return false;
  return asked !== undefined && bytes > 0 && bytes >= asked.bytes;
}

function judge(place: Place, sizeAsked: SizeAsked): Judgement {
  switch (place.kind) {
    case "file":
      return judgeFile(place, sizeAsked);
    case "device":
      return judgeDevice(place, sizeAsked);
    case "zram":
      return judgeZram(place, sizeAsked);
  }
}

function isToBeEncrypted(place: Place): boolean {
  return place.kind === "device" && place.isEncrypted;
}

/** What the kernel calls a disk may be another one's name at the next start. */
function lastingTarget(place: Place): SwapTarget {
  if (place.kind !== "device") return place;
  const { kind, path, isEncrypted, device } = place;
  const lasting = typeof device === "object" && !isStablePath(path) ? device.stablePath : undefined;
  return { kind, path: lasting ?? path, isEncrypted };
}

function otherTargetRefusals({ script }: SwapFacts, target: SwapTarget): readonly string[] {
  const made = script === undefined ? undefined : specInScript(script)?.target;
  if (made === undefined || describe(made) === describe(target)) return [];
  return [
    `wasp made swap on ${describe(made)}, and now ${describe(target)} is asked for: take the first away before (wasp uninstall --only swap)`,
  ];
}

const PACKAGES: Readonly<Record<string, string>> = {
  cryptsetup: "cryptsetup-bin on Debian, cryptsetup on RHEL",
  chattr: "e2fsprogs",
  modprobe: "kmod",
};

function missingRefusal(program: string): string {
  return `the program ${program} is not there: install ${PACKAGES[program] ?? "util-linux"}`;
}

const LEAST_BYTES = 1024 ** 2;

function sizeRefusals(place: Place, { size, asked }: SizeAsked): readonly string[] {
  if (place.kind === "device") return [];
  if (size === undefined) return [SIZE_MISSING];
  if (asked === undefined || asked.bytes >= LEAST_BYTES) return [];
  return [`${asked.arithmetic}, which is less than 1 MiB: choose a larger size`];
}

function startNotes({ active, memory }: SwapFacts, { priority, unitToStart }: SwapSetup): readonly string[] {
  if (memory === undefined) return ["the swap is made when a node starts from the image"];
  if (active === undefined) return ["the kubelet learns of swap when it starts, and not before"];
  const isOther = priority !== undefined && active.priority !== priority;
  return isOther ? [priorityNote(active, priority, unitToStart)] : [];
}
