import type { EvictionAnswer } from "../policy/eviction/answer.ts";
import type { ApiStatus } from "./api-status.ts";
import type { RequestError } from "./request-error.ts";

/** Response to the request to evict or delete a pod. */
export interface EvictionReply {
  readonly answer: EvictionAnswer;
  /** Text of the API server or of the webhook that answered. */
  readonly message: string;
  /** Time for which the API server wants no further request. */
  readonly retryAfterSeconds: number | undefined;
  /** True if there was no connection, or if it was lost: the request may have been carried out. */
  readonly isUnreachable?: boolean;
}

/** Classifies a failed request by status and message: KubeVirt denies an eviction that it carries out. */
export function replyOf(error: RequestError): EvictionReply {
  const { status = 0, apiStatus, retryAfterSeconds } = error.refusal ?? {};
  const rule =
    apiStatus &&
    RULES.find((rule) => rule.message.test(apiStatus.message) && (rule.status ?? status) === status);
  return {
    answer: rule?.answer ?? "failed",
    message: rule && apiStatus ? fullMessage(apiStatus) : error.message,
    retryAfterSeconds,
    ...(error.kind === "unreachable" && { isUnreachable: true }),
  };
}

/** Meaning of the refusals with this message and status. */
interface RefusalRule {
  /** Undefined for any status. */
  readonly status?: number;
  readonly message: RegExp;
  readonly answer: EvictionAnswer;
}

const WEBHOOK_DENIAL = /^admission webhook ".*" denied the request/;

// The first match applies. The API server's messages are those of kubernetes pkg/registry/core/pod/storage/eviction.go,
// KubeVirt's those of its pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go.
const RULES: readonly RefusalRule[] = [
  { status: 404, message: /^pods ".*" not found$/, answer: "gone" },
  // Two functions compare UIDs, with different messages.
  { status: 409, message: /UID in (the )?precondition/, answer: "gone" },
  { message: /Eviction triggered evacuation of VMI/, answer: "evacuating" },
  { message: /is not live-migratable/, answer: "never" },
  // The pod is the target of a live migration, and its virtual machine would have to migrate again.
  { message: /Eviction request for target Pod/i, answer: "never" },
  { message: /cannot evict hotplug pod/, answer: "never" },
  { status: 429, message: /disruption budget/, answer: "blocked" },
  // The budget's status is inconsistent, which its controller repairs.
  { status: 403, message: /^poddisruptionbudgets?(\.policy)? ".*" is forbidden/, answer: "blocked" },
  // Only the owner of the budgets can remove one, however many disruptions each of them allows.
  { status: 500, message: /more than one PodDisruptionBudget/, answer: "never" },
  // The webhook fails for this pod, as KubeVirt's does if it cannot read the virtual machine: try other pods first.
  { status: 429, message: WEBHOOK_DENIAL, answer: "blocked" },
  { status: 500, message: WEBHOOK_DENIAL, answer: "blocked" },
  { message: WEBHOOK_DENIAL, answer: "never" },
  { message: /ValidatingAdmissionPolicy .* denied request/, answer: "never" },
];

// The causes name the disruption budget.
function fullMessage({ message, causes }: ApiStatus): string {
  return [message, ...causes.map((cause) => cause.message)].filter((text) => text !== "").join(" ");
}
