const SUFFIX_FACTORS: Record<string, bigint> = {
  "": 1n,
  k: 10n ** 3n,
  M: 10n ** 6n,
  G: 10n ** 9n,
  T: 10n ** 12n,
  P: 10n ** 15n,
  E: 10n ** 18n,
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};

// A memory request of "100m", a tenth of a byte, is a common slip for 100M, and the API server accepts it.
const SUFFIX_DIVISORS: Record<string, bigint> = { n: 10n ** 9n, u: 10n ** 6n, m: 10n ** 3n };

// apimachinery pkg/api/resource/quantity.go, parseQuantityString: digits may be on one side of the point only. The API
// server keeps no more digits than these.
const QUANTITY =
  /^([+-]?)(?=\.?\d)(\d{0,64})(?:\.(\d{0,64}))?(?:[eE]([+-]?\d{1,18})|([numkMGTPE]|[KMGTPE]i))?$/;

// Beyond it any number but 0 is too large, or smaller than a byte.
const MAX_EXPONENT = 200;

/**
 * Parses a Kubernetes quantity of bytes (`64Mi`, `1.5G`, `1e9`), rounded up to a whole byte as the kubelet does;
 * undefined if it is malformed, negative, or too large for an exact number.
 */
export function parseQuantity(text: string): number | undefined {
  const bytes = parseAnyQuantity(text);
  return bytes === Number.POSITIVE_INFINITY ? undefined : bytes;
}

/** Parses a quantity as parseQuantity does, to Infinity if it is too large for an exact number, as `8Pi` is. */
export function parseAnyQuantity(text: string): number | undefined {
  const match = QUANTITY.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0", suffix = ""] = match;
  const power = Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, Number(exponent))) - fraction.length;
  const scaled = BigInt(whole + fraction) * (SUFFIX_FACTORS[suffix] ?? 1n) * tenTo(power);
  if (sign === "-" && scaled > 0n) return undefined;
  const divisor = tenTo(-power) * (SUFFIX_DIVISORS[suffix] ?? 1n);
  const bytes = (scaled + divisor - 1n) / divisor;
  return bytes <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(bytes) : Number.POSITIVE_INFINITY;
}

/** Returns a power of ten; 1 for a negative exponent. */
function tenTo(exponent: number): bigint {
  return 10n ** BigInt(Math.max(0, exponent));
}

/**
 * Parses a limit as the kernel and wasp's annotation write it: `max`, or a quantity of bytes, which is Infinity too if it is
 * more than any node has; undefined otherwise.
 */
export function parseLimit(text: string): number | undefined {
  return text.trim() === "max" ? Number.POSITIVE_INFINITY : parseAnyQuantity(text);
}

/** Formats a limit in bytes as the kernel's cgroup v2 files do: digits, or `max` for Infinity. */
export function formatLimit(limitBytes: number): string {
  return limitBytes === Number.POSITIVE_INFINITY ? "max" : String(limitBytes);
}

/** Formats bytes, or Infinity, for parseLimit, with the largest binary suffix that gives a whole number. */
export function formatQuantity(bytes: number): string {
  const suffix = ["Pi", "Ti", "Gi", "Mi", "Ki"].find((unit) => bytes > 0 && bytes % binary(unit) === 0);
  return suffix === undefined || !Number.isFinite(bytes)
    ? formatLimit(bytes)
    : `${bytes / binary(suffix)}${suffix}`;
}

/** Formats bytes for people, as in `1.3 GiB`: rounded, unlike formatQuantity. */
export function formatRounded(bytes: number): string {
  const suffix = ["Pi", "Ti", "Gi", "Mi", "Ki"].find((unit) => bytes >= binary(unit));
  if (suffix === undefined) return `${Math.round(bytes)} B`;
  const figure = bytes / binary(suffix);
  return `${figure >= 10 ? Math.round(figure) : Number(figure.toFixed(1))} ${suffix}B`;
}

function binary(suffix: string): number {
  return Number(SUFFIX_FACTORS[suffix]);
}
