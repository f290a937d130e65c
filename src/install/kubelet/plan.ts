import { DROP_IN, WRITTEN_BY } from "../engine/drop-in.ts";
import type { InstallOptions } from "../engine/options.ts";
import type { PartPlan } from "../engine/plan.ts";
import type { Step } from "../engine/step.ts";
import type { KubeletConfigPatch, KubeletFacts } from "./settings.ts";
import { asFields, asTaken } from "./settings-text.ts";

// As the OpenShift document for higher workload density once had it: soon enough to be before the hard threshold.
const USUAL_THRESHOLD = "1Gi";
const GRACE_PERIOD = "10s";

// Where the usual threshold would take more from the pods than this.
const SMALL_NODE_THRESHOLD = "10%";
const SMALL_NODE_BYTES = 10 * 2 ** 30;

/**
 * Plans the kubelet's settings: it starts on a node with swap, and evicts softly where it has no soft threshold of its own.
 * Its own file is never written: somebody else's tool does that.
 */
export function planKubelet(facts: KubeletFacts, options: InstallOptions): PartPlan {
  const { restart } = options;
  const plan = { part: "kubelet", steps: [], refusals: facts.problems, notes: [] } as const;
  if (!facts.isThere)
    return {
      ...plan,
      notes: ["there is no kubelet on this host: the one that comes has to have failSwapOn: false"],
    };
  const wanted = wantedSettings(facts, options);
  if (facts.failSwapOnFlag === true)
    return {
      ...plan,
      refusals: [
        ...plan.refusals,
        "the kubelet is started with --fail-swap-on, over all files: take that flag away",
      ],
    };
  if (Object.keys(wanted).length === 0) return plan;
  if (facts.dropInFolder === undefined) return { ...plan, notes: [byHand(facts, wanted)] };
  if (facts.contradictedBy !== undefined)
    return {
      ...plan,
      refusals: [
        ...plan.refusals,
        `${facts.contradictedBy} sets failSwapOn: true, and comes after ${DROP_IN}: take it away there`,
      ],
    };
  return {
    ...plan,
    steps: steps(facts.dropInFolder, wanted, { restart: restart && facts.startedBy === undefined }),
    notes: restartNotes(facts, restart),
  };
}

function restartNotes({ startedBy }: KubeletFacts, restart: boolean): readonly string[] {
  const note = "the kubelet takes its new settings up once";
  // That restarts more than the kubelet: the API server too, on some nodes.
  if (startedBy !== undefined)
    return [`${note} ${startedBy.name} is restarted: systemctl restart ${startedBy.unit}`];
  return restart ? [] : [`${note} it is restarted: --restart does that`];
}

function wantedSettings(facts: KubeletFacts, { evictionSoft }: InstallOptions): Partial<KubeletConfigPatch> {
  const { failSwapOn, ...soft } = kubeletSettings(evictionSoft, facts.memoryTotalBytes);
  const mayStart = facts.failSwapOn === false || facts.failSwapOnFlag === false;
  return { ...(mayStart ? {} : { failSwapOn }), ...(facts.evictionSoft === undefined ? soft : {}) };
}

/** What wasp sets in the configuration of a kubelet that has nothing of it, on a node with so much memory if that is known. */
export function kubeletSettings(
  evictionSoft: string,
  memoryTotalBytes: number | undefined,
): KubeletConfigPatch {
  if (evictionSoft === "Off") return { failSwapOn: false };
  const threshold = evictionSoft === "Auto" ? thresholdFor(memoryTotalBytes) : evictionSoft;
  return {
    failSwapOn: false,
    evictionSoft: { "memory.available": threshold },
    evictionSoftGracePeriod: { "memory.available": GRACE_PERIOD },
  };
}

function thresholdFor(memoryTotalBytes: number | undefined): string {
  const isSmall = memoryTotalBytes !== undefined && memoryTotalBytes < SMALL_NODE_BYTES;
  return isSmall ? SMALL_NODE_THRESHOLD : USUAL_THRESHOLD;
}

function steps(
  folder: string,
  wanted: Partial<KubeletConfigPatch>,
  { restart }: Pick<InstallOptions, "restart">,
): readonly Step[] {
  const part = "kubelet";
  const head = [WRITTEN_BY, "apiVersion: kubelet.config.k8s.io/v1beta1", "kind: KubeletConfiguration"];
  const text = `${[...head, ...asFields(wanted)].join("\n")}\n`;
  const why = "by default the kubelet does not start on a node with swap";
  const file: Step = { kind: "file", part, path: `${folder}/${DROP_IN}`, text, mode: 0o644, why };
  const argv = ["systemctl", "restart", "kubelet.service"];
  return restart ? [file, { kind: "command", part, argv, when: "changed" }] : [file];
}

function byHand({ configFile, startedBy }: KubeletFacts, wanted: Partial<KubeletConfigPatch>): string {
  if (startedBy !== undefined) {
    const { name, unit, settings } = startedBy;
    return `${name} starts the kubelet: set in ${settings.place}, and restart ${unit}:\n${asTaken(wanted, settings).join("\n")}`;
  }
  const where = configFile ?? "its configuration file (--config)";
  return `the kubelet reads no drop-ins (--config-dir), and wasp does not write ${where}: set there, and restart it:\n${asFields(wanted).join("\n")}`;
}
