import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import { type PartPlan, partPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";
import { restartUnit } from "../engine/systemd-unit.ts";
import { type KubeletConfigPatch, kubeletConfigPatch } from "./config-patch.ts";
import type { KubeletFacts } from "./facts.ts";
import { asConfigLines, asDistributionSettings } from "./patch-text.ts";

/**
 * Plans the kubelet's settings: it starts on a node with swap, and has a soft eviction threshold if it had none. The
 * kubelet's own file is never written, because another tool manages it.
 */
export function planKubelet(facts: KubeletFacts, options: InstallOptions): PartPlan {
  const { restart } = options;
  const plan = partPlan("kubelet", { refusals: facts.problems });
  if (!facts.isThere)
    return {
      ...plan,
      notes: ["there is no kubelet on this host: one that is installed later needs failSwapOn: false"],
    };
  const missing = missingSettings(facts, options);
  const refused = (refusal: string) => ({ ...plan, refusals: [...plan.refusals, refusal] });
  if (facts.failSwapOnFlag === true)
    return refused("the kubelet is started with --fail-swap-on, which overrides its files: remove that flag");
  if (Object.keys(missing).length === 0) return plan;
  if (facts.dropInFolder === undefined) return { ...plan, notes: [manualNote(facts, missing)] };
  if (facts.contradictedBy !== undefined)
    return refused(
      `${facts.contradictedBy} sets failSwapOn: true and is read after ${DROP_IN}: remove that setting`,
    );
  return {
    ...plan,
    steps: dropInSteps(facts.dropInFolder, missing, { restart: restart && facts.startedBy === undefined }),
    notes: restartNotes(facts, restart),
  };
}

function missingSettings(facts: KubeletFacts, { evictionSoft }: InstallOptions): Partial<KubeletConfigPatch> {
  const { failSwapOn, ...soft } = kubeletConfigPatch(evictionSoft, facts.memoryTotalBytes);
  const mayStart = facts.failSwapOn === false || facts.failSwapOnFlag === false;
  return { ...(mayStart ? {} : { failSwapOn }), ...(facts.evictionSoft === undefined ? soft : {}) };
}

function manualNote({ configFile, startedBy }: KubeletFacts, missing: Partial<KubeletConfigPatch>): string {
  if (startedBy !== undefined) {
    const { name, unit, settings } = startedBy;
    const lines = asDistributionSettings(missing, settings).join("\n");
    return `${name} starts the kubelet: set this in ${settings.place}, and restart ${unit}:\n${lines}`;
  }
  const file = configFile ?? "its configuration file (--config)";
  return `the kubelet reads no drop-ins (--config-dir), and wasp does not write ${file}: set this there, and restart the kubelet:\n${asConfigLines(missing).join("\n")}`;
}

function dropInSteps(
  folder: string,
  missing: Partial<KubeletConfigPatch>,
  { restart }: Pick<InstallOptions, "restart">,
): readonly Step[] {
  const part = "kubelet";
  const head = [WRITTEN_BY, "apiVersion: kubelet.config.k8s.io/v1beta1", "kind: KubeletConfiguration"];
  const text = `${[...head, ...asConfigLines(missing)].join("\n")}\n`;
  const why = "by default the kubelet does not start on a node with swap";
  const file: Step = { kind: "file", part, path: `${folder}/${DROP_IN}`, text, mode: 0o644, why };
  return restart ? [file, restartUnit(part, "kubelet.service")] : [file];
}

function restartNotes({ startedBy }: KubeletFacts, restart: boolean): readonly string[] {
  const note = "the kubelet reads its new settings once";
  // That restarts more than the kubelet: the API server too, on some nodes.
  if (startedBy !== undefined)
    return [`${note} ${startedBy.name} is restarted: systemctl restart ${startedBy.unit}`];
  return restart ? [] : [`${note} it is restarted: --restart does that`];
}
