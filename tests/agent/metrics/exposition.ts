/** A metric of a scrape. */
export interface Family {
  readonly type: string;
  /** Values by `name{label="value",...}`, in the order of the text. */
  readonly series: ReadonlyMap<string, number>;
}

const HELP = /^# HELP ([a-z_]+) (\S.*\.|\S.*[^.\s])$/;
const TYPE = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/;
const SAMPLE = /^([a-z_]+)(\{[^}]*\})? ([+-]?Inf|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const LABELS = /^\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\})|(?=\})))*\}$/;
const UNITLESS = [
  "wasp_containers",
  "wasp_eviction_held",
  "wasp_container_swap_decision",
  "wasp_nri_connected",
  "wasp_stood_down",
  "wasp_threshold_crossed",
];
const UNITS = /_(bytes|pages_per_second|seconds|ratio|info|bytes_total|seconds_total|total)$/;

/**
 * Reads Prometheus's text format more strictly than Prometheus does (its docs/instrumenting/exposition_formats.md and
 * docs/practices/naming.md); throws an Error that names the line.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family & { series: Map<string, number> }>();
  let helped = "";
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const wrong = (what: string) => new Error(`${what}: ${line}`);
    const [help, type, sample] = [HELP.exec(line), TYPE.exec(line), SAMPLE.exec(line)];
    if (help !== null) helped = help[1] ?? "";
    else if (type !== null) {
      current = type[1] ?? "";
      if (current !== helped) throw wrong("no HELP right above");
      if (families.has(current)) throw wrong("a second TYPE");
      if (!UNITS.test(current) && !UNITLESS.includes(current)) throw wrong("a name without a unit");
      if ((type[2] === "counter") !== current.endsWith("_total")) throw wrong("only counters end in _total");
      families.set(current, { type: type[2] ?? "", series: new Map() });
    } else if (sample !== null) {
      const family = families.get(current);
      const [, name = "", labels = "", value = ""] = sample;
      const base = family?.type === "histogram" ? name.replace(/_(bucket|sum|count)$/, "") : name;
      if (family === undefined || base !== current) throw wrong("not below its TYPE");
      if (labels !== "" && !LABELS.test(labels)) throw wrong("malformed labels");
      if (family.series.has(name + labels)) throw wrong("a series twice");
      family.series.set(name + labels, Number(value.replace("Inf", "Infinity")));
    } else if (line !== "") throw wrong("neither a comment nor a sample");
  }
  return families;
}
