/** What wasp reports about a container: the same words in the log and in the metrics. */
export type Event =
  /** A swap limit was written and is in force. */
  | "swap-limit-set"
  /** The swap limit was right already. */
  | "swap-limit-kept"
  /** A swap limit was written, but a level above the container allows less. */
  | "swap-limit-unmet"
  /** A dry run: what would have been written. */
  | "swap-limit-planned"
  /** The container is none of wasp's business. */
  | "swap-limit-left"
  /** Somebody had changed a limit that was right; it was put back. */
  | "swap-limit-restored"
  /** The limit is less than what is swapped out already: it holds for what comes. */
  | "swap-limit-below-usage"
  /** A swap limit could not be read or written. */
  | "swap-limit-failed"
  /** Somebody else writes the limit again and again: it is answered slowly from now on. */
  | "swap-limit-contested"
  /** Nobody else writes the limit any more. */
  | "swap-limit-uncontested"
  /** Something was wrong; nothing more was written. */
  | "hook-failed"
  /** The agent runs, with this configuration. */
  | "agent-started"
  /** The first full pass over the node's containers is done. */
  | "agent-ready"
  /** The agent was told to end. */
  | "agent-stopping"
  /** The node's memory or swap is another amount than before. */
  | "node-capacity-changed"
  /** The limit for all pods together was written. */
  | "node-swap-limit-set"
  /** Somebody had changed the limit for all pods together; it was put back. */
  | "node-swap-limit-restored"
  /** The limit for all pods together could not be read or written. */
  | "node-swap-limit-failed"
  /** The kubelet limits swap itself: nothing is written as long as it does. */
  | "stood-down"
  /** The kubelet no longer limits swap itself. */
  | "resumed"
  /** The kubelet does not tell whether it limits swap itself: its containers have to show it. */
  | "kubelet-config-unknown"
  /** The kubelet tells it again. */
  | "kubelet-config-known"
  /** Who runs on the node cannot be learned: nothing changes for the containers until it can. */
  | "pods-unknown"
  /** Who runs on the node can be learned again. */
  | "pods-known"
  /** A pod that makes no sense was left out. */
  | "pod-ignored"
  /** The node's own figures cannot be read. */
  | "node-unknown"
  /** Another configuration is in force. */
  | "config-reloaded"
  /** A changed configuration is wrong; the one before stays in force. */
  | "config-refused"
  /** A changed setting takes effect at the next start. */
  | "config-needs-restart"
  /** Whoever answers is taken for the kubelet: certificate checks are off. */
  | "kubelet-unverified"
  /** An environment variable has no effect. */
  | "variable-unused"
  /** The kernel does not tell of changes below a cgroup: they are seen at the next full pass. */
  | "watch-failed"
  /** Nobody is evicted, for another reason than before. */
  | "eviction-held"
  /** A pod is to be evicted, with all that the decision was made on. */
  | "eviction-decided"
  /** Nobody is evicted after all: the pressure was over before the request was made, or eviction was turned off. */
  | "eviction-withdrawn"
  /** A pod is evicted: it is about to go, or to be moved. */
  | "pod-evicted"
  /** A pod that was to be evicted is not. */
  | "eviction-refused"
  /** Nobody else is evicted until the victim is gone, or its time is up. */
  | "victim-awaited"
  /** The victim that was waited for is gone. */
  | "victim-gone"
  /** The victim that was waited for is still there, and its time is up. */
  | "victim-overdue"
  /** The node's taint keeps new pods away. */
  | "node-tainted"
  /** The node's taint is taken away. */
  | "node-untainted"
  /** What an agent that evicted had left on the node is taken away, because nobody is evicted here any more. */
  | "node-cleared"
  /** The node's taint and condition cannot be read or written; nobody is evicted before they were read once. */
  | "node-unmarked"
  /** They can be again. */
  | "node-marked"
  /** Somebody had taken the node's taint away, or changed its condition; it was put back. */
  | "node-mark-restored"
  /** Somebody else changes them again and again: they are put back slowly from now on. */
  | "node-mark-contested"
  /** Nobody else changes them any more. */
  | "node-mark-uncontested"
  /** An agent before this one left the node under pressure, or has evicted pods in the last hour: it is gone on from there. */
  | "eviction-resumed"
  /** An event cannot be recorded at the API server. */
  | "event-unrecorded"
  /** Events can be recorded again. */
  | "event-recorded"
  /** The node's own figures can be read again. */
  | "node-known"
  /** Eviction is on, and cannot be: what is missing is told. */
  | "eviction-impossible"
  /** memory.high of kubepods is below the kubelet's thresholds, so that the kernel swaps before the kubelet evicts. */
  | "swap-reach-held"
  /** It is let go, and why: then the kubelet evicts as without wasp. */
  | "swap-reach-released"
  /** Somebody had changed it; it was put back. */
  | "swap-reach-restored"
  /** It could not be read or written. */
  | "swap-reach-failed"
  /** It can be again. */
  | "swap-reach-regained"
  /** It was set by somebody else, and is left alone. */
  | "swap-reach-left"
  /** Nobody else's limit is there any more. */
  | "swap-reach-taken"
  /** Metrics and health are served. */
  | "http-listening"
  /** A changed certificate is of no use; the one before is served on. */
  | "certificate-refused"
  /** The certificate is of use again. */
  | "certificate-accepted"
  /** The NRI plugin runs, with this configuration. */
  | "nri-started"
  /** It was told to end. */
  | "nri-stopping"
  /** Another wasp of this node is the runtime's plugin; this one waits for its place. */
  | "nri-waiting"
  /** Somebody listens at the runtime's socket. */
  | "nri-connected"
  /** The runtime knows the plugin, and has told of itself. */
  | "nri-registered"
  /** The containers that were there are known: of every other one the runtime tells before it starts. */
  | "nri-synchronized"
  /** A request of the runtime's was answered with an error. */
  | "nri-request-failed"
  /** The runtime is about to go down. */
  | "nri-shutdown"
  /** Nobody listens at the runtime's socket. */
  | "nri-unreachable"
  /** The runtime does not take the plugin. */
  | "nri-refused"
  /** The connection to the runtime is lost. */
  | "nri-disconnected"
  /** The connection was ended, as the runtime sent what is no NRI. */
  | "nri-protocol-error"
  /** A container starts with these limits in its spec. */
  | "container-limits-set"
  /** A container that runs has other limits in its spec from now on. */
  | "container-limits-changed"
  /** A container has no limits of wasp's. */
  | "container-limits-left"
  /** The runtime did not change the limits of a container that runs. */
  | "container-limits-failed"
  /** A container does not start, as an annotation of its pod cannot be heeded. */
  | "container-refused"
  /** An annotation cannot be heeded, and is not. */
  | "annotation-ignored"
  /** The node's kernel limits no swap: what sets a limit for it is left out of containers' specs. */
  | "swap-limits-impossible"
  /** Pods may ask for these classes of memory QoS, and for these files of their cgroups. */
  | "memory-qos-configured"
  /** Something in a configuration is right, and hardly meant. */
  | "config-doubtful";

/** Tells of an event, with its figures and names. */
export type Tell = (event: Event, fields: Fields) => void;

/** The figures and names of an event, in the order in which they are printed; undefined ones are left out. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** How long a line and each value in it may become. */
export interface Lengths {
  readonly lineBytes: number;
  readonly valueCharacters: number;
}

// The kernel refuses a record of more than 1024 bytes with EINVAL (kernel/printk/printk.c, devkmsg_write).
const KERNEL_LENGTHS: Lengths = { lineBytes: 960, valueCharacters: 400 };

/** Formats an event as one line of logfmt, `event key=value ...`; a value with a blank or a quote is a JSON string. */
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

/** Writes what is not printable ASCII as JSON's escapes, so that no terminal reads anything into it. */
export function toAscii(line: string): string {
  return isPrintable(line) ? line : line.replace(/[^\x20-\x7e]/g, escapeUnicode);
}

/** Cuts a value that is too long: the middle goes, as a path's beginning and the reason behind it both tell more. */
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

// Below 0x20 JSON has escaped already. Not a regular expression: the first one costs the hook's start.
function isPrintable(text: string): boolean {
  return new TextEncoder().encode(text).length === text.length && !text.includes("\x7f");
}

// One byte a character, so that lengths are bytes.
function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
