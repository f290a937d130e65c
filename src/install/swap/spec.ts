import type { SwapOptions, SwapSize, SwapTarget } from "../engine/options.ts";

/** Swap that can be set up on any node: nothing in it is true of one node alone, but for the device's name. */
export interface SwapSpec {
  /** A device by a name that stays with it. */
  readonly target: SwapTarget;
  /** Undefined for a device, all of which is used. */
  readonly size: SwapSize | undefined;
  readonly priority: number | undefined;
}

/** What was chosen: where nothing is said of place and size, what an earlier script was made for. */
export function chosenSwap(options: SwapOptions, script: string | undefined): SwapOptions {
  if (options.target !== undefined || options.size !== undefined || script === undefined) return options;
  return specInScript(script) ?? options;
}

/** The first lines of a script, which tell what it was made for. */
export function headOf({ target, size, priority }: SwapSpec): string {
  return `# Swap on ${describe(target)}
# Size: ${size === undefined ? "all of it" : sizeInWords(size)}
# Priority: ${priority ?? "as it comes"}`;
}

/** Reads what a script was made for; undefined if it does not tell. */
export function specInScript(text: string): SwapSpec | undefined {
  const valueNamed = (name: string) => new RegExp(`^# ${name} (.+)$`, "m").exec(text)?.[1] ?? "";
  const target = targetInWords(valueNamed("Swap on"));
  if (target === undefined) return undefined;
  const [, digits = "", unit] = /^(\d+)(%| bytes)/.exec(valueNamed("Size:")) ?? [];
  const priority = /^\d+$/.exec(valueNamed("Priority:"))?.[0];
  return {
    target,
    size: unit === undefined ? undefined : sizeOf(Number(digits), unit),
    priority: priority === undefined ? undefined : Number(priority),
  };
}

/** A target in words: `the encrypted device /dev/disk/by-id/nvme-1`. */
export function describe(target: SwapTarget): string {
  if (target.kind === "zram") return "zram";
  const isEncrypted = target.kind === "device" && target.isEncrypted;
  return `the ${isEncrypted ? "encrypted " : ""}${target.kind} ${target.path}`;
}

function sizeInWords(size: SwapSize): string {
  return size.kind === "bytes" ? `${size.bytes} bytes` : `${size.percent}% overcommit`;
}

function targetInWords(words: string): SwapTarget | undefined {
  if (words === "zram") return { kind: "zram" };
  const [, encrypted, kind, path] = /^the (encrypted )?(file|device) (\/.*)$/.exec(words) ?? [];
  if (path === undefined) return undefined;
  return kind === "file" ? { kind, path } : { kind: "device", path, isEncrypted: encrypted !== undefined };
}

function sizeOf(number: number, unit: string): SwapSize {
  return unit === "%" ? { kind: "overcommit", percent: number } : { kind: "bytes", bytes: number };
}
