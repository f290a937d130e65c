/** Event of the log; the metrics use the same names. */
export type Event =
  /** A swap limit was written and is in force. */
  | "swap-limit-set"
  /** A swap limit was right already. */
  | "swap-limit-kept"
  /** A swap limit was written, but a cgroup above the container has a lower one. */
  | "swap-limit-unmet"
  /** A swap limit would have been written, but this is a dry run. */
  | "swap-limit-planned"
  /** wasp does not manage the swap limit of this container. */
  | "swap-limit-left"
  /** Another process changed a swap limit that was right; it was restored. */
  | "swap-limit-restored"
  /** A swap limit is lower than the swap usage: it applies to further swapping only. */
  | "swap-limit-below-usage"
  /** A swap limit could not be read or written. */
  | "swap-limit-failed"
  /** Another process keeps changing a swap limit: it is restored more slowly from now on. */
  | "swap-limit-contested"
  /** No other process changes the swap limit any more. */
  | "swap-limit-uncontested"
  /** The hook stopped at an error; it wrote nothing after that. */
  | "hook-failed"
  /** The agent has started. */
  | "agent-started"
  /** The first full pass over the node's containers is complete. */
  | "agent-ready"
  /** The agent received a signal to end. */
  | "agent-stopping"
  /** The node's amount of memory or swap has changed. */
  | "node-capacity-changed"
  /** The swap limit of kubepods was written. */
  | "node-swap-limit-set"
  /** Another process changed the swap limit of kubepods; it was restored. */
  | "node-swap-limit-restored"
  /** The swap limit of kubepods could not be read or written. */
  | "node-swap-limit-failed"
  /** The kubelet limits swap itself: wasp writes no swap limits while it does. */
  | "stood-down"
  /** The kubelet no longer limits swap itself. */
  | "resumed"
  /** The kubelet does not report its configuration: its swap behavior is inferred from its containers. */
  | "kubelet-config-unknown"
  /** The kubelet reports its configuration again. */
  | "kubelet-config-known"
  /** The node's pods cannot be listed: limits stay as they are until they can. */
  | "pods-unknown"
  /** The node's pods can be listed again. */
  | "pods-known"
  /** An invalid pod was left out. */
  | "pod-ignored"
  /** The node's memory, swap or pressure cannot be read. */
  | "node-unknown"
  /** A changed configuration is in force. */
  | "config-reloaded"
  /** A changed configuration is invalid; the previous one stays in force. */
  | "config-refused"
  /** A changed setting takes effect at the next start only. */
  | "config-needs-restart"
  /** The kubelet's certificate is not verified: any server is accepted as the kubelet. */
  | "kubelet-unverified"
  /** An environment variable has no effect. */
  | "variable-unused"
  /** The kernel does not report changes below a cgroup: the next full pass finds them. */
  | "watch-failed"
  /** No pod is evicted, and the reason has changed. */
  | "eviction-held"
  /** A pod was chosen for eviction; the fields are the basis of the decision. */
  | "eviction-decided"
  /** An eviction was dropped before its request: the pressure was over, or eviction was turned off. */
  | "eviction-withdrawn"
  /** The API server accepted an eviction: the pod terminates, or moves to another node. */
  | "pod-evicted"
  /** The API server refused an eviction, or the pod may not be evicted. */
  | "eviction-refused"
  /** No other pod is evicted until the victim is gone, or the wait for it times out. */
  | "victim-awaited"
  /** The awaited victim is gone. */
  | "victim-gone"
  /** The wait for the victim timed out. */
  | "victim-overdue"
  /** The node was tainted, which keeps new pods away. */
  | "node-tainted"
  /** The node's taint was removed. */
  | "node-untainted"
  /** Taint, condition and annotation of an earlier agent were removed, because eviction is off. */
  | "node-cleared"
  /** The node's taint and condition cannot be read or written; no pod is evicted before they were read once. */
  | "node-unmarked"
  /** The node's taint and condition can be read and written again. */
  | "node-marked"
  /** Another client removed the node's taint or changed its condition; it was restored. */
  | "node-mark-restored"
  /** Another client keeps changing them: they are restored more slowly from now on. */
  | "node-mark-contested"
  /** No other client changes them any more. */
  | "node-mark-uncontested"
  /** The state of an earlier agent was resumed: pressure on the node, or evictions in the last hour. */
  | "eviction-resumed"
  /** An Event cannot be recorded at the API server. */
  | "event-unrecorded"
  /** Events can be recorded again. */
  | "event-recorded"
  /** The node's memory, swap and pressure can be read again. */
  | "node-known"
  /** Eviction is configured but cannot work; the error names what is missing. */
  | "eviction-impossible"
  /** memory.high of kubepods is held below the kubelet's thresholds: the kernel swaps before the kubelet evicts. */
  | "swap-reach-held"
  /** memory.high of kubepods was released, for this reason: the kubelet may evict before the kernel swaps. */
  | "swap-reach-released"
  /** Another process changed memory.high of kubepods; it was restored. */
  | "swap-reach-restored"
  /** memory.high of kubepods could not be read or written. */
  | "swap-reach-failed"
  /** memory.high of kubepods can be read and written again. */
  | "swap-reach-regained"
  /** memory.high of kubepods was set by another process and is left alone. */
  | "swap-reach-left"
  /** memory.high of kubepods is no longer set by another process. */
  | "swap-reach-taken"
  /** Metrics and health are served over HTTP. */
  | "http-listening"
  /** A changed certificate is invalid; the previous one stays in use. */
  | "certificate-refused"
  /** The certificate is valid again. */
  | "certificate-accepted"
  /** The NRI plugin has started. */
  | "nri-started"
  /** The NRI plugin received a signal to end. */
  | "nri-stopping"
  /** Another wasp on this node is the runtime's plugin; this one waits until it ends. */
  | "nri-waiting"
  /** The runtime's socket accepted the connection. */
  | "nri-connected"
  /** The runtime registered the plugin and configured it. */
  | "nri-registered"
  /** The runtime sent its existing containers; from now on it reports each new one before its start. */
  | "nri-synchronized"
  /** A request of the runtime was answered with an error. */
  | "nri-request-failed"
  /** The runtime announced its shutdown. */
  | "nri-shutdown"
  /** Nothing listens at the runtime's socket. */
  | "nri-unreachable"
  /** The runtime refused to register the plugin. */
  | "nri-refused"
  /** The connection to the runtime ended. */
  | "nri-disconnected"
  /** The connection was closed, because the runtime sent bytes that are not NRI. */
  | "nri-protocol-error"
  /** A container starts with these limits in its spec. */
  | "container-limits-set"
  /** The limits of a running container were changed through the runtime. */
  | "container-limits-changed"
  /** A container gets no limits from wasp. */
  | "container-limits-left"
  /** The runtime failed to change the limits of a running container. */
  | "container-limits-failed"
  /** A container was kept from starting, because an annotation of its pod is invalid. */
  | "container-refused"
  /** An invalid annotation is ignored. */
  | "annotation-ignored"
  /** The kernel cannot limit swap: swap limits are left out of containers' specs. */
  | "swap-limits-impossible"
  /** Memory QoS classes and cgroup files that pods may request. */
  | "memory-qos-configured"
  /** A configuration is valid, but probably not what was intended. */
  | "config-doubtful";

/** Logs an event with its fields. */
export type LogEvent = (event: Event, fields: Fields) => void;

/** Fields of an event in the order in which they are printed; undefined ones are left out. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Largest sizes of a line and of each value in it. */
export interface Lengths {
  readonly lineBytes: number;
  readonly valueCharacters: number;
}

// The kernel refuses a record of more than 1024 bytes with EINVAL (kernel/printk/printk.c, devkmsg_write).
const KERNEL_LENGTHS: Lengths = { lineBytes: 960, valueCharacters: 400 };

/** Formats an event as a logfmt line, `event key=value ...`; a value with a blank or a quote becomes a JSON string. */
export function formatEvent(event: Event, fields: Fields, lengths = KERNEL_LENGTHS): string {
  let line: string = event;
  for (const key in fields) {
    const value = fields[key];
    if (value === undefined) continue;
    line += ` ${key}=${typeof value === "string" ? formatValue(value, lengths.valueCharacters) : value}`;
  }
  const ascii = toAscii(line);
  return ascii.length <= lengths.lineBytes ? ascii : `${ascii.slice(0, lengths.lineBytes - 3)}...`;
}

/** Escapes everything but printable ASCII as JSON does, so that no terminal obeys it. */
export function toAscii(line: string): string {
  return isPrintable(line) ? line : line.replace(/[^\x20-\x7e]/g, escapeUnicode);
}

/** Cuts the middle out of a value that is too long, because a path's beginning and the reason after it matter most. */
export function shorten(value: string, maxCharacters: number): string {
  if (value.length <= maxCharacters) return value;
  const half = maxCharacters / 2;
  return `${value.slice(0, half)}...${value.slice(-half)}`;
}

function formatValue(value: string, maxCharacters: number): string {
  const quoted = JSON.stringify(shorten(value, maxCharacters));
  const isPlain = quoted.length === value.length + 2 && value !== "" && !value.includes(" ");
  return isPlain ? value : quoted;
}

// JSON has already escaped all below 0x20. No regular expression: compiling the first one slows the hook's start.
function isPrintable(text: string): boolean {
  return new TextEncoder().encode(text).length === text.length && !text.includes("\x7f");
}

// One byte per character, so that a line's length is its bytes.
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
