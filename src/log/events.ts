/** Level of a log line. */
export type Level = "debug" | "info" | "warning" | "error";

/** Events of the log with their levels, `info` for everything that is expected to happen; the metrics use the same names. */
const LEVELS = {
  /** A swap limit was written and is in force. */
  "swap-limit-set": "info",
  /** A swap limit was right already. */
  "swap-limit-kept": "debug",
  /** A swap limit was written, but a cgroup above the container has a lower one. */
  "swap-limit-unmet": "warning",
  /** A swap limit would have been written, but this is a dry run. */
  "swap-limit-planned": "info",
  /** wasp does not manage the swap limit of this container. */
  "swap-limit-left": "debug",
  /** Another process changed a swap limit that was right; it was restored. */
  "swap-limit-restored": "info",
  /** A swap limit is lower than the swap usage: it applies to further swapping only. */
  "swap-limit-below-usage": "warning",
  /** A swap limit could not be read or written. */
  "swap-limit-failed": "warning",
  /** Another process keeps changing a swap limit: it is restored more slowly from now on. */
  "swap-limit-contested": "warning",
  /** No other process changes the swap limit any more. */
  "swap-limit-uncontested": "info",
  /** A pod's status says that a container runs, but no process was found in a cgroup of its own: it has no limit of wasp's. */
  "container-unseen": "warning",
  /** An unseen container was found, or has ended. */
  "container-seen": "info",
  /** The hook stopped at an error; it wrote nothing after that. */
  "hook-failed": "info",
  /** The agent has started. */
  "agent-started": "info",
  /** The first full pass over the node's containers is complete. */
  "agent-ready": "info",
  /** The agent received a signal to end. */
  "agent-stopping": "info",
  /** The node's amount of memory or swap has changed. */
  "node-capacity-changed": "info",
  /** The swap limit of kubepods was written. */
  "node-swap-limit-set": "info",
  /** Another process changed the swap limit of kubepods; it was restored. */
  "node-swap-limit-restored": "info",
  /** The swap limit of kubepods could not be read or written. */
  "node-swap-limit-failed": "warning",
  /** The kubelet limits swap itself: wasp writes no swap limits while it does, and all else as configured. */
  "stood-down": "info",
  /** The hook could not be informed whether the kubelet limits swap itself: it may grant swap that the kubelet does not. */
  "hook-notice-failed": "warning",
  /** The kubelet no longer limits swap itself. */
  resumed: "info",
  /** The kubelet does not report its configuration: its swap behavior is inferred from its containers. */
  "kubelet-config-unknown": "warning",
  /** The kubelet reports its configuration again. */
  "kubelet-config-known": "info",
  /** The node's pods cannot be listed: limits stay as they are until they can. */
  "pods-unknown": "warning",
  /** The node's pods can be listed again. */
  "pods-known": "info",
  /** An invalid pod, or a figure of a pod, was left out; the error names it. */
  "pod-ignored": "warning",
  /** The node's memory, swap or pressure cannot be read. */
  "node-unknown": "warning",
  /** A changed configuration is in force; the field names the knobs that changed. */
  "config-reloaded": "info",
  /** A change of the configuration file has no effect, because a flag or a variable holds the knob. */
  "config-overridden": "warning",
  /** A changed configuration is invalid; the previous one stays in force. */
  "config-refused": "error",
  /** A changed setting takes effect at the next start only. */
  "config-needs-restart": "warning",
  /** The kubelet's certificate is not verified: any server is accepted as the kubelet. */
  "kubelet-unverified": "warning",
  /** An environment variable has no effect. */
  "variable-unused": "warning",
  /** The kernel does not report changes below a cgroup: the next full pass finds them. */
  "watch-failed": "warning",
  /** No pod is evicted, and the reason has changed. */
  "eviction-held": "info",
  /** A pod was chosen for eviction; the fields are the basis of the decision. */
  "eviction-decided": "info",
  /** The lost request of an eviction is not repeated: the pressure is over, the pod is gone, or eviction was turned off. */
  "eviction-withdrawn": "info",
  /** The API server accepted an eviction: the pod terminates, or moves to another node. */
  "pod-evicted": "info",
  /** The API server refused an eviction, or the pod may not be evicted. */
  "eviction-refused": "warning",
  /** No other pod is evicted until the victim is gone, or the wait for it times out. */
  "victim-awaited": "info",
  /** The awaited victim is gone. */
  "victim-gone": "info",
  /** The wait for the victim timed out. */
  "victim-overdue": "warning",
  /** The node was tainted, which keeps new pods away. */
  "node-tainted": "info",
  /** The node's taint was removed. */
  "node-untainted": "info",
  /** Taint, condition and annotation of an earlier agent were removed, because eviction is off. */
  "node-cleared": "info",
  /** The node's taint and condition cannot be read or written; no pod is evicted before they were read once. */
  "node-unmarked": "warning",
  /** The node's taint and condition can be read and written again. */
  "node-marked": "info",
  /** Another client removed the node's taint or changed its condition; it was restored. */
  "node-mark-restored": "warning",
  /** Another client keeps changing them: they are restored more slowly from now on. */
  "node-mark-contested": "warning",
  /** No other client changes them any more. */
  "node-mark-uncontested": "info",
  /** The state of an earlier agent was resumed: pressure on the node, or evictions in the last hour. */
  "eviction-resumed": "info",
  /** An administrator has stopped evictions on this node by its annotation `wasp.io/eviction`. */
  "eviction-stopped": "warning",
  /** The annotation that had stopped evictions on this node was removed. */
  "eviction-restarted": "info",
  /** The node's annotation `wasp.io/eviction` has a value without effect. */
  "node-annotation-ignored": "warning",
  /** The node cannot be watched: its annotation `wasp.io/eviction` is noticed late, or not at all. */
  "node-unwatched": "warning",
  /** The node is watched again. */
  "node-watched": "info",
  /** An Event cannot be recorded at the API server. */
  "event-unrecorded": "warning",
  /** Events can be recorded again. */
  "event-recorded": "info",
  /** The node's memory, swap and pressure can be read again. */
  "node-known": "info",
  /** Eviction is configured but cannot work; the error names what is missing. */
  "eviction-impossible": "error",
  /** memory.high of kubepods is held below the kubelet's thresholds: the kernel swaps before the kubelet evicts. */
  "swap-reach-held": "info",
  /** memory.high of kubepods was released, for this reason: the kubelet may evict before the kernel swaps. */
  "swap-reach-released": "info",
  /** Another process changed memory.high of kubepods; it was restored. */
  "swap-reach-restored": "warning",
  /** memory.high of kubepods could not be read or written. */
  "swap-reach-failed": "warning",
  /** memory.high of kubepods can be read and written again. */
  "swap-reach-regained": "info",
  /** memory.high of kubepods was set by another process and is left alone. */
  "swap-reach-left": "warning",
  /** memory.high of kubepods is no longer set by another process. */
  "swap-reach-taken": "info",
  /** Metrics and health are served over HTTP. */
  "http-listening": "info",
  /** A changed certificate is invalid; the previous one stays in use. */
  "certificate-refused": "warning",
  /** The certificate is valid again. */
  "certificate-accepted": "info",
  /** The NRI plugin has started. */
  "nri-started": "info",
  /** The NRI plugin received a signal to end. */
  "nri-stopping": "info",
  /** Another wasp on this node is the runtime's plugin; this one waits until it ends. */
  "nri-waiting": "warning",
  /** The runtime's socket accepted the connection. */
  "nri-connected": "debug",
  /** The runtime registered the plugin and configured it. */
  "nri-registered": "info",
  /** The runtime sent its existing containers; from now on it reports each new one before its start. */
  "nri-synchronized": "info",
  /** A request of the runtime was answered with an error. */
  "nri-request-failed": "warning",
  /** The runtime announced its shutdown. */
  "nri-shutdown": "info",
  /** Nothing listens at the runtime's socket. */
  "nri-unreachable": "warning",
  /** The runtime refused to register the plugin. */
  "nri-refused": "error",
  /** The connection to the runtime ended. */
  "nri-disconnected": "warning",
  /** The connection was closed, because the runtime sent bytes that are not NRI. */
  "nri-protocol-error": "error",
  /** A container starts with these limits in its spec. */
  "container-limits-set": "info",
  /** The limits of a running container were changed through the runtime. */
  "container-limits-changed": "info",
  /** A container gets no limits from wasp. */
  "container-limits-left": "debug",
  /** The runtime failed to change the limits of a running container. */
  "container-limits-failed": "warning",
  /** A container was kept from starting, because an annotation of its pod is invalid. */
  "container-refused": "warning",
  /** An invalid annotation is ignored. */
  "annotation-ignored": "warning",
  /** The kernel cannot limit swap: swap limits are left out of containers' specs. */
  "swap-limits-impossible": "warning",
  /** Memory QoS classes and cgroup files that pods may request. */
  "memory-qos-configured": "info",
  /** A configuration is valid, but probably not what was intended. */
  "config-doubtful": "warning",
} as const satisfies Record<string, Level>;

/** Event of the log. */
export type Event = keyof typeof LEVELS;

/** Returns the level of an event. */
export function levelOf(event: Event): Level {
  return LEVELS[event];
}

/** Logs an event with its fields. */
export type LogEvent = (event: Event, fields: Fields) => void;

/** Fields of an event in the order in which they are printed; undefined ones are left out. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;
