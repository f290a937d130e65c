import { DROP_IN, WRITTEN_BY } from "./drop-in.ts";
import type { InstallOptions } from "./options.ts";
import type { PartPlan } from "./plan.ts";
import type { Step } from "./step.ts";

/** How the kubelet is configured, without what wasp configures. */
export interface KubeletFacts {
  /** Whether there is one on the host. */
  readonly isThere: boolean;
  /** Its configuration file; undefined where it has none. */
  readonly configFile: string | undefined;
  /** Its folder of drop-ins (--config-dir); undefined where it reads none. */
  readonly dropInFolder: string | undefined;
  /** What its files say; undefined for nothing. */
  readonly failSwapOn: boolean | undefined;
  /** Its soft threshold of memory.available as it is spelled, in its files or its flags; undefined for none. */
  readonly evictionSoft: string | undefined;
  /** What it is started with, which counts for more than its files; undefined for nothing. */
  readonly failSwapOnFlag: boolean | undefined;
  /** Whether it gives containers swap limits itself (LimitedSwap). */
  readonly limitsSwap: boolean;
  /** The node's memory; undefined where it is not known. */
  readonly memoryTotalBytes: number | undefined;
  /** The drop-in behind wasp's own that says that swap is an error; undefined for none. */
  readonly contradictedBy: string | undefined;
  /** The files that cannot be understood, each with what is wrong. */
  readonly problems: readonly string[];
}

/** What wasp sets in a KubeletConfiguration: never that the kubelet limits swap itself, which is wasp's to do. */
export interface KubeletSettings {
  readonly failSwapOn: false;
  readonly evictionSoft?: { readonly "memory.available": string };
  readonly evictionSoftGracePeriod?: { readonly "memory.available": string };
}

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
  if (wanted.length === 0) return plan;
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
    steps: steps(facts.dropInFolder, wanted, options),
    notes: options.restart
      ? []
      : ["the kubelet takes its new settings up once it is restarted: --restart does that"],
  };
}

function wantedSettings(facts: KubeletFacts, { evictionSoft }: InstallOptions): readonly string[] {
  const { failSwapOn, ...soft } = kubeletSettings(evictionSoft, facts.memoryTotalBytes);
  const mayStart = facts.failSwapOn === false || facts.failSwapOnFlag === false;
  return linesOf({
    ...(mayStart ? {} : { failSwapOn }),
    ...(facts.evictionSoft === undefined ? soft : {}),
  });
}

/** What wasp sets in the configuration of a kubelet that has nothing of it, on a node with so much memory if that is known. */
export function kubeletSettings(evictionSoft: string, memoryTotalBytes: number | undefined): KubeletSettings {
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

function linesOf({ failSwapOn, evictionSoft, evictionSoftGracePeriod }: Partial<KubeletSettings>): string[] {
  return [
    ...(failSwapOn === undefined ? [] : [`failSwapOn: ${failSwapOn}`]),
    ...(evictionSoft === undefined
      ? []
      : ["evictionSoft:", `  memory.available: ${JSON.stringify(evictionSoft["memory.available"])}`]),
    ...(evictionSoftGracePeriod === undefined
      ? []
      : ["evictionSoftGracePeriod:", `  memory.available: ${evictionSoftGracePeriod["memory.available"]}`]),
  ];
}

function steps(folder: string, wanted: readonly string[], { restart }: InstallOptions): readonly Step[] {
  const part = "kubelet";
  const head = [WRITTEN_BY, "apiVersion: kubelet.config.k8s.io/v1beta1", "kind: KubeletConfiguration"];
  const text = `${[...head, ...wanted].join("\n")}\n`;
  const why = "by default the kubelet does not start on a node with swap";
  const file: Step = { kind: "file", part, path: `${folder}/${DROP_IN}`, text, mode: 0o644, why };
  const argv = ["systemctl", "restart", "kubelet.service"];
  return restart ? [file, { kind: "command", part, argv, when: "changed" }] : [file];
}

function byHand({ configFile }: KubeletFacts, wanted: readonly string[]): string {
  const where = configFile ?? "its configuration file (--config)";
  return `the kubelet reads no drop-ins (--config-dir), and wasp does not write ${where}: set there, and restart it:\n${wanted.join("\n")}`;
}
