import { commandLine, kubectl, runInView } from "./commands.ts";
import type { DaemonSet } from "./render.ts";

/** Returns the command that waits for a DaemonSet's rollout, with a time limit in seconds. */
export function waitCommand({ name, namespace }: DaemonSet, timeoutSeconds: number): string[] {
  const deadline = `--timeout=${timeoutSeconds}s`;
  return ["kubectl", "rollout", "status", `daemonset/${name}`, "--namespace", namespace, deadline];
}

/**
 * Waits for a DaemonSet's rollout, and returns the number of its nodes. Throws if no node matches, and on a timeout with
 * each pod that is not ready and the reason.
 */
export async function waitForRollout(daemonSet: DaemonSet, timeoutSeconds: number): Promise<number> {
  try {
    await runInView(waitCommand(daemonSet, timeoutSeconds));
  } catch (error) {
    throw await explained(error, daemonSet);
  }
  const { status } = JSON.parse(await get(daemonSet, "daemonset", daemonSet.name));
  if (status.desiredNumberScheduled > 0) return status.desiredNumberScheduled;
  throw new Error(
    "no node is eligible for the agents. A control plane node that runs workloads becomes a worker with " +
      "kubectl label node NAME node-role.kubernetes.io/worker=, and --component control-plane makes every node eligible",
  );
}

async function explained(error: unknown, daemonSet: DaemonSet): Promise<Error> {
  const { name, namespace, selector } = daemonSet;
  const [pods, events] = await Promise.all([
    get(daemonSet, "pods", "--selector", selector),
    get(daemonSet, "events", "--field-selector=type=Warning"),
  ]);
  const { items } = JSON.parse(events);
  const reasons = [...unreadyPods(JSON.parse(pods).items, items), ...refusedPods(name, items)];
  const logs = commandLine(["kubectl", "logs", "--namespace", namespace, "--selector", selector]);
  const lines = [error instanceof Error ? error.message : error, ...reasons, `logs: ${logs}`];
  return new Error(`applied, but not every agent is ready: ${lines.join("\n  ")}`);
}

function get({ namespace }: DaemonSet, ...args: string[]): Promise<string> {
  return kubectl("get", ...args, "--namespace", namespace, "--output=json");
}

interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode: number };
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly message?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly state: ContainerState;
      readonly lastState?: ContainerState;
    }[];
  };
}

interface Event {
  readonly involvedObject: { readonly kind: string; readonly name: string };
  readonly reason: string;
  readonly message: string;
  readonly lastTimestamp: string | null;
  /** Replaces `lastTimestamp` in events of the events.k8s.io API, such as the scheduler's. */
  readonly eventTime?: string | null;
}

function unreadyPods(pods: readonly Pod[], events: readonly Event[]): string[] {
  const isReady = ({ status }: Pod) =>
    status.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
  return pods
    .filter((pod) => !isReady(pod))
    .map((pod) => {
      const where = pod.spec.nodeName === undefined ? "without a node" : `on ${pod.spec.nodeName}`;
      return `${pod.metadata.name} ${where}: ${whyUnready(pod, events)}`;
    });
}

function whyUnready({ metadata, status }: Pod, events: readonly Event[]): string {
  const [container] = status.containerStatuses ?? [];
  const reasons = [
    container?.state.waiting && withMessage(container.state.waiting),
    ended(container?.state) ?? ended(container?.lastState),
    newest(events, "Pod", metadata.name),
  ].filter((reason) => reason !== undefined);
  if (reasons.length > 0) return reasons.join("; ");
  const unmet = status.conditions?.find(({ status, message }) => status === "False" && message);
  return unmet?.message ?? `phase ${status.phase}`;
}

function ended(state: ContainerState | undefined): string | undefined {
  const { exitCode, reason = "" } = state?.terminated ?? {};
  return exitCode === undefined ? undefined : `exit status ${exitCode} ${reason}`.trim();
}

// A quota or an admission controller may prevent the creation of pods.
function refusedPods(daemonSet: string, events: readonly Event[]): string[] {
  const refusal = newest(events, "DaemonSet", daemonSet);
  return refusal === undefined ? [] : [`DaemonSet ${daemonSet}: ${refusal}`];
}

function newest(events: readonly Event[], kind: string, name: string): string | undefined {
  const about = events.filter(({ involvedObject: of }) => of.kind === kind && of.name === name);
  const timeOf = ({ lastTimestamp, eventTime }: Event) => lastTimestamp ?? eventTime ?? "";
  // RFC 3339 times in UTC sort as text.
  const [last] = about.sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
  return last && withMessage(last);
}

function withMessage({ reason, message }: { readonly reason: string; readonly message?: string }): string {
  return message === undefined ? reason : `${reason}: ${message}`;
}
