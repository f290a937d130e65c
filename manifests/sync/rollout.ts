import { commandLine, kubectl, runInView } from "./commands.ts";
import type { DaemonSet } from "./render.ts";

/** Returns the command that waits until a DaemonSet runs as it was applied, or no longer than so many seconds. */
export function waitCommand({ name, namespace }: DaemonSet, timeoutSeconds: number): string[] {
  const deadline = `--timeout=${timeoutSeconds}s`;
  return ["kubectl", "rollout", "status", `daemonset/${name}`, "--namespace", namespace, deadline];
}

/**
 * Waits until a DaemonSet runs as it was applied, and returns on how many nodes; throws when there is no node for it, and
 * when it takes longer, with the pods that are not ready and why.
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
    "there is no node for the agents. A control plane that runs workloads becomes a worker by " +
      "kubectl label node NAME node-role.kubernetes.io/worker=, and every node gets one with --component control-plane",
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
  const lines = [error instanceof Error ? error.message : error, ...reasons, `their logs: ${logs}`];
  return new Error(`applied, but not every agent became ready: ${lines.join("\n  ")}`);
}

function get({ namespace }: DaemonSet, ...what: string[]): Promise<string> {
  return kubectl("get", ...what, "--namespace", namespace, "--output=json");
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
  /** In its place, for events that are told once, as the scheduler's. */
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
    container?.state.waiting && said(container.state.waiting),
    ended(container?.state) ?? ended(container?.lastState),
    newest(events, "Pod", metadata.name),
  ].filter((reason) => reason !== undefined);
  if (reasons.length > 0) return reasons.join("; ");
  const unmet = status.conditions?.find(({ status, message }) => status === "False" && message);
  return unmet?.message ?? `it is ${status.phase}`;
}

function ended(state: ContainerState | undefined): string | undefined {
  const { exitCode, reason = "" } = state?.terminated ?? {};
  return exitCode === undefined ? undefined : `it ended with ${exitCode} ${reason}`.trim();
}

// A quota, or an admission controller, may keep pods from being made at all.
function refusedPods(daemonSet: string, events: readonly Event[]): string[] {
  const refusal = newest(events, "DaemonSet", daemonSet);
  return refusal === undefined ? [] : [`DaemonSet ${daemonSet}: ${refusal}`];
}

function newest(events: readonly Event[], kind: string, name: string): string | undefined {
  const about = events.filter(({ involvedObject: of }) => of.kind === kind && of.name === name);
  const timeOf = ({ lastTimestamp, eventTime }: Event) => lastTimestamp ?? eventTime ?? "";
  // As text, times in UTC are in their order.
  const [last] = about.sort((a, b) => timeOf(b).localeCompare(timeOf(a)));
  return last && said(last);
}

function said({ reason, message }: { readonly reason: string; readonly message?: string }): string {
  return message === undefined ? reason : `${reason}: ${message}`;
}
