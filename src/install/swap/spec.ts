import type { SwapOptions, SwapSize, SwapTarget } from "../engine/options.ts";

/** Specification of swap, independent of a node except for the device name. */
export interface SwapSpec extends SwapOptions {
  /** A device has a persistent name. */
  readonly target: SwapTarget;
}

/** Returns the options; without a place and a size, those of an earlier installation's script. */
export function effectiveOptions(options: SwapOptions, script: string | undefined): SwapOptions {
  if (options.target !== undefined || options.size !== undefined || script === undefined) return options;
  return specInScript(script) ?? options;
}

/** Returns the first lines of a script, which hold its specification. */
export function headOf({ target, size, priority }: SwapSpec): string {
  return `# Swap on ${describe(target)}
# Size: ${size === undefined ? "all of it" : describeSize(size)}
# Priority: ${priority ?? "as it comes"}`;
}

/** Parses the specification in a script; undefined if it has none. */
export function specInScript(text: string): SwapSpec | undefined {
  const valueNamed = (name: string) => new RegExp(`^# ${name} (.+)$`, "m").exec(text)?.[1] ?? "";
  const target = parseTarget(valueNamed("Swap on"));
  if (target === undefined) return undefined;
  const [, digits = "", unit] = /^(\d+)(%| bytes)/.exec(valueNamed("Size:")) ?? [];
  const priority = /^\d+$/.exec(valueNamed("Priority:"))?.[0];
  return {
    target,
    size: unit === undefined ? undefined : sizeOf(Number(digits), unit),
    priority: priority === undefined ? undefined : Number(priority),
  };
}

/** Describes a target: `the encrypted device /dev/disk/by-id/nvme-1`. */
export function describe(target: SwapTarget): string {
  if (target.kind === "zram") return "zram";
  const isEncrypted = target.kind === "device" && target.isEncrypted;
  return `the ${isEncrypted ? "encrypted " : ""}${target.kind} ${target.path}`;
}

function describeSize(size: SwapSize): string {
  return size.kind === "bytes" ? `${size.bytes} bytes` : `${size.percent}% overcommit`;
}

function parseTarget(text: string): SwapTarget | undefined {
  if (text === "zram") return { kind: "zram" };
  const [, encrypted, kind, path] = /^the (encrypted )?(file|device) (\/.*)$/.exec(text) ?? [];
  if (path === undefined) return undefined;
  return kind === "file" ? { kind, path } : { kind: "device", path, isEncrypted: encrypted !== undefined };
}

function sizeOf(number: number, unit: string): SwapSize {
  return unit === "%" ? { kind: "overcommit", percent: number } : { kind: "bytes", bytes: number };
}
