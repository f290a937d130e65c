import type { EvictionAnswer } from "../policy/eviction/answer.ts";
import type { ApiStatus } from "./api-status.ts";
import type { RequestError } from "./request-error.ts";

/** How the request to evict a pod was answered. */
export interface EvictionReply {
  readonly answer: EvictionAnswer;
  /** In the words of whoever answered. */
  readonly message: string;
  /** How long the API server wants to be left alone. */
  readonly retryAfterSeconds: number | undefined;
}

/** What the request came to that failed so: the status alone does not tell, because KubeVirt denies what it does. */
export function replyOf(error: RequestError): EvictionReply {
  const { status = 0, said, retryAfterSeconds } = error.refusal ?? {};
  const rule =
    said && RULES.find((rule) => rule.says.test(said.message) && (rule.status ?? status) === status);
  return {
    answer: rule?.answer ?? "failed",
    message: rule && said ? wordsOf(said) : error.message,
    retryAfterSeconds,
  };
}

/** What is meant by a refusal that says something. */
interface Rule {
  /** Undefined where it does not matter. */
  readonly status?: number;
  readonly says: RegExp;
  readonly answer: EvictionAnswer;
}

const WEBHOOK_DENIAL = /^admission webhook ".*" denied the request/;

// The first one holds. The API server's words are those of kubernetes pkg/registry/core/pod/storage/eviction.go,
// KubeVirt's those of its pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go.
const RULES: readonly Rule[] = [
  { status: 404, says: /^pods ".*" not found$/, answer: "gone" },
  // The two places that compare UIDs word it differently.
  { status: 409, says: /UID in (the )?precondition/, answer: "gone" },
  { says: /Eviction triggered evacuation of VMI/, answer: "evacuating" },
  { says: /is not live-migratable/, answer: "never" },
  // A virtual machine is just moving into it, and would have to move again.
  { says: /Eviction request for target Pod/i, answer: "never" },
  { says: /cannot evict hotplug pod/, answer: "never" },
  { status: 429, says: /disruption budget/, answer: "blocked" },
  // The budget's own figures are off, which its controller mends.
  { status: 403, says: /^poddisruptionbudgets?(\.policy)? ".*" is forbidden/, answer: "blocked" },
  // Nobody but the budgets' owner can mend that; it does not matter how many disruptions each of them allows.
  { status: 500, says: /more than one PodDisruptionBudget/, answer: "never" },
  // A webhook in trouble, as KubeVirt's when it cannot read the virtual machine: for one pod, so that others come first.
  { status: 429, says: WEBHOOK_DENIAL, answer: "blocked" },
  { status: 500, says: WEBHOOK_DENIAL, answer: "blocked" },
  { says: WEBHOOK_DENIAL, answer: "never" },
  { says: /ValidatingAdmissionPolicy .* denied request/, answer: "never" },
];

// A cause names the disruption budget.
function wordsOf({ message, causes }: ApiStatus): string {
  return [message, ...causes.map((cause) => cause.message)].filter((words) => words !== "").join(" ");
}
