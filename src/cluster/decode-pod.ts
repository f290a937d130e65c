import type { V1ObjectMeta, V1Pod } from "@kubernetes/client-node";
import * as v from "valibot";
import type { Pod, PodContainer } from "../policy/kubernetes/pod.ts";
import { describeIssue } from "./decode.ts";
import { decodeContainers } from "./decode-containers.ts";
import type { FieldSchemas } from "./kubernetes-json.ts";
import { NamedSchema, type PodFields, PodSchema } from "./pod-schema.ts";
import { type Unreadable, ValueReader } from "./readable.ts";

/** Server that describes a pod. */
export type PodOrigin = "kubelet" | "api-server";

/** Pod as it was decoded. */
export interface DecodedPod {
  /** Empty if it has none. */
  readonly uid: string;
  /** Undefined if it has no UID or no name. */
  readonly pod: Pod | undefined;
  /** Messages about the pod, or about values of it that are unreadable. */
  readonly problems: readonly string[];
}

// One pod may have thousands of containers, and its author chooses the texts.
const MAX_PROBLEMS = 8;
const MAX_PROBLEM_CHARACTERS = 300;
// They stay in memory for each of hundreds of pods.
const MAX_STRINGS_CHARACTERS = 16 * 1024;

/** Decodes one pod; `unnamed` stands for a pod without a name in messages. */
export function decodePod(item: unknown, unnamed: string, origin: PodOrigin): DecodedPod {
  const result = v.safeParse(PodSchema, item);
  if (!result.success) {
    const name = nameOf(item) ?? unnamed;
    return {
      uid: uidOf(item),
      pod: undefined,
      problems: messagesOf(name, [describeIssue(result.issues[0])]),
    };
  }
  const problems: string[] = [];
  const pod = podOf(result.output, problems);
  const believed = origin === "kubelet" ? pod.annotations : withoutSource(pod.annotations);
  return {
    uid: pod.uid,
    pod: { ...pod, annotations: believed },
    problems: messagesOf(`pod ${pod.namespace}/${pod.name}`, problems),
  };
}

function messagesOf(name: string, problems: readonly string[]): string[] {
  const shown = problems.slice(0, MAX_PROBLEMS).map((problem) => {
    const isLong = problem.length > MAX_PROBLEM_CHARACTERS;
    return `${name}: ${isLong ? `${problem.slice(0, MAX_PROBLEM_CHARACTERS)}...` : problem}`;
  });
  const others = problems.length - shown.length;
  return others === 0 ? shown : [...shown, `${name}: ${others} more values are unreadable`];
}

// The kubelet sets it on every pod of its list, whatever the pod's author wrote (kubernetes pkg/kubelet/config/config.go:203,
// updateAnnotations); at the API server it is what the author wrote. A static pod's mirror is known by config.mirror, which
// the API server lets nobody add or change, and a pod that has it runs nothing itself (pkg/kubelet/pod/pod_manager.go).
function withoutSource({
  "kubernetes.io/config.source": _,
  ...others
}: Pod["annotations"]): Pod["annotations"] {
  return others;
}

function podOf({ metadata, spec, status }: PodFields, problems: string[]): Pod {
  const { uid, namespace, name, deletionTimestamp, ownerReferences } = metadata;
  const reader = new ValueReader(problems);
  const specs = reader.take("spec", spec);
  const statuses = reader.take("status", status);
  reader.take("metadata.deletionTimestamp", deletionTimestamp);
  // A limit depends on these: with one of them unreadable, it is decided for no container.
  const forLimits = new ValueReader(problems);
  const annotations = stringsIn("metadata.annotations", metadata.annotations, forLimits);
  const labels = stringsIn("metadata.labels", metadata.labels, forLimits);
  const priority = forLimits.take("spec.priority", specs?.priority);
  const containers = containersOf(specs, statuses, problems);
  return {
    ...{ uid, namespace, name, annotations, labels },
    qosClass: reader.take("status.qosClass", statuses?.qosClass),
    priority,
    phase: reader.take("status.phase", statuses?.phase),
    // A pod that may be going is not sent away.
    isTerminating: deletionTimestamp != null,
    ownerKind: controllerIn(reader.take("metadata.ownerReferences", ownerReferences)),
    containers: forLimits.hasFailed
      ? containers.map((container) => ({ ...container, isUnreadable: true }))
      : containers,
  };
}

function containersOf(
  spec: Exclude<PodFields["spec"], Unreadable> | undefined,
  status: Exclude<PodFields["status"], Unreadable | null> | undefined,
  problems: string[],
): PodContainer[] {
  const kinds = [
    ["containers", "containerStatuses"],
    ["initContainers", "initContainerStatuses"],
    ["ephemeralContainers", "ephemeralContainerStatuses"],
  ] as const;
  return kinds.flatMap(([specsKey, statusesKey]) =>
    decodeContainers(
      {
        specs: spec?.[specsKey],
        specsField: `spec.${specsKey}`,
        statuses: status?.[statusesKey],
        statusesField: `status.${statusesKey}`,
      },
      problems,
    ),
  );
}

function stringsIn(
  field: string,
  strings: PodFields["metadata"]["annotations"],
  reader: ValueReader,
): Record<string, string> {
  const texts: Record<string, string> = {};
  let characters = 0;
  for (const [key, value] of Object.entries(reader.take(field, strings) ?? {})) {
    const text = reader.take(`${field}.${key}`, value);
    if (text === undefined) continue;
    // The kubelet's own are short, and say what the pod is.
    const isOfKubelet = key.startsWith("kubernetes.io/");
    if (!isOfKubelet) characters += key.length + text.length;
    if (isOfKubelet || characters <= MAX_STRINGS_CHARACTERS) texts[key] = text;
  }
  if (characters > MAX_STRINGS_CHARACTERS)
    reader.fail(`${field}: those that wasp reads exceed ${MAX_STRINGS_CHARACTERS} characters`);
  return texts;
}

function controllerIn(
  owners: Exclude<PodFields["metadata"]["ownerReferences"], Unreadable | null> | undefined,
): string | undefined {
  return owners?.find(({ controller }) => controller)?.kind;
}

const IdentifiedSchema = v.object({
  metadata: v.object({ uid: v.string() } satisfies FieldSchemas<V1ObjectMeta>),
} satisfies FieldSchemas<V1Pod>);

/** Returns the UID of a pod that may be malformed; empty if it has none. */
export function uidOf(item: unknown): string {
  const result = v.safeParse(IdentifiedSchema, item);
  return result.success ? result.output.metadata.uid : "";
}

function nameOf(item: unknown): string | undefined {
  const named = v.safeParse(NamedSchema, item);
  return named.success ? `pod ${named.output.metadata.namespace}/${named.output.metadata.name}` : undefined;
}
