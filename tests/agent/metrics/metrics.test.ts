import { describe, expect, test } from "bun:test";
import { AgentMetrics } from "../../../src/agent/metrics/metrics.ts";
import type { AgentView } from "../../../src/agent/metrics/view.ts";
import { type Family, parseExposition } from "./exposition.ts";
import { NODE, shownAgent, shownContainer } from "./shown.ts";

const BUILD = { version: "1.2.3", commit: "0123456789ab" };
const GOLDEN = `${import.meta.dir}/../../golden/metrics.txt`;

/** Metrics and the agent that they show. */
class Shown {
  readonly metrics = new AgentMetrics(BUILD);
  readonly #view: AgentView;

  constructor(view: AgentView) {
    this.#view = view;
  }

  scrape(): Promise<string> {
    return this.metrics.scrape(this.#view);
  }
}

async function scrape(shown: Shown): Promise<Map<string, Family>> {
  return parseExposition(await shown.scrape());
}

function seriesOf(families: Map<string, Family>, name: string): Record<string, number> {
  return Object.fromEntries(families.get(name)?.series ?? [["not a metric", 0]]);
}

describe("a scrape", () => {
  test("is the golden one", async () => {
    const containers = [
      shownContainer(),
      shownContainer({ pod: "cart-1", state: "unmet", effectiveBytes: 0, swapUsageBytes: 8192 }),
      shownContainer({
        container: "db",
        state: "set",
        reason: "pod-override",
        entitledBytes: Number.POSITIVE_INFINITY,
        effectiveBytes: Number.POSITIVE_INFINITY,
      }),
      shownContainer({ container: "odd", state: "failed", effectiveBytes: undefined }),
      {
        ...shownContainer({ state: "held", reason: "pod-unknown", entitledBytes: undefined }),
        ...{ namespace: undefined, pod: undefined, container: undefined },
      },
    ];
    const shown = new Shown(shownAgent({ containers: () => containers }));
    const { metrics } = shown;
    metrics.count("swap-limit-set", 2);
    metrics.count("swap-limit-restored", 1);
    metrics.count("container-limits-set", 0);
    metrics.count("swap-limit-contested", 0);
    metrics.count("swap-limit-failed", 0);
    metrics.countPodList("kubelet", "success");
    metrics.countReload("refused");
    metrics.countStart(true);
    metrics.reconcileDuration.observe(0.004);
    metrics.podListDuration.observe(0.02);
    metrics.limitLatency.observe(60);
    metrics.lastPass.set(1_700_000_000.25);
    const text = await shown.scrape();
    parseExposition(text);
    expect(text.replace(/^(process_\w+) [\d.]+$/gm, "$1 ...")).toBe(await Bun.file(GOLDEN).text());
  });

  test("no longer shows a container that is gone", async () => {
    const view = shownAgent({ containers: () => [shownContainer(), shownContainer({ pod: "cart-1" })] });
    const shown = new Shown(view);
    expect(await shown.scrape()).toContain("cart-1");
    view.containers = () => [shownContainer()];
    const families = await scrape(shown);
    expect([...families.values()].flatMap(({ series }) => [...series.keys()]).join()).not.toContain("cart-1");
    expect(seriesOf(families, "wasp_containers")).toMatchObject({ 'wasp_containers{state="kept"}': 1 });
    view.containers = () => [];
    expect(await shown.scrape()).not.toContain("cart");
  });

  test("shows a decision's new reason in the place of the old one", async () => {
    const view = shownAgent({ containers: () => [shownContainer()] });
    const shown = new Shown(view);
    await shown.scrape();
    view.containers = () => [shownContainer({ reason: "critical" })];
    expect(seriesOf(await scrape(shown), "wasp_container_swap_decision")).toEqual({
      'wasp_container_swap_decision{namespace="shop",pod="cart-0",container="cart",reason="critical"}': 1,
    });
  });

  test("shows the reason for which no pod is evicted, unless nothing calls for an eviction", async () => {
    const view = shownAgent({ holdReason: () => "relieving-kept" });
    const shown = new Shown(view);
    expect(seriesOf(await scrape(shown), "wasp_eviction_held")).toEqual({
      'wasp_eviction_held{reason="relieving-kept"}': 1,
    });
    view.holdReason = () => "cooldown";
    expect(seriesOf(await scrape(shown), "wasp_eviction_held")).toEqual({
      'wasp_eviction_held{reason="cooldown"}': 1,
    });
    for (const reason of ["not-pressed", "mode-off", undefined] as const) {
      view.holdReason = () => reason;
      expect(seriesOf(await scrape(shown), "wasp_eviction_held")).toEqual({});
    }
  });

  test("shows the kernel's counters as they are, at each scrape", async () => {
    const shown = new Shown(shownAgent());
    await shown.scrape();
    const families = await scrape(shown);
    expect(seriesOf(families, "wasp_node_swap_in_bytes_total")).toEqual({
      wasp_node_swap_in_bytes_total: NODE.swapInBytes,
    });
    expect(seriesOf(families, "wasp_pressure_stall_seconds_total")).toEqual({
      'wasp_pressure_stall_seconds_total{scope="node",resource="memory",kind="some"}': 2.5,
      'wasp_pressure_stall_seconds_total{scope="node",resource="memory",kind="full"}': 1.25,
    });
  });

  test("shows no pressure without the kernel's support, and no swap usage below zero", async () => {
    const node = { ...NODE, memoryPressure: undefined, swapTotalBytes: 0 };
    const families = await scrape(new Shown(shownAgent({ node: () => node })));
    expect(seriesOf(families, "wasp_pressure_stall_seconds_total")).toEqual({});
    expect(seriesOf(families, "wasp_pressure_stall_ratio")).toEqual({});
    expect(seriesOf(families, "wasp_node_swap_used_bytes")).toEqual({ wasp_node_swap_used_bytes: 0 });
  });

  test("leaves out the node's figures when they cannot be read, and counts the error", async () => {
    const view = shownAgent();
    const shown = new Shown(view);
    await shown.scrape();
    view.node = () => {
      throw new Error("no /proc");
    };
    const families = await scrape(shown);
    for (const name of ["wasp_node_memory_bytes", "wasp_node_swap_in_bytes_total"])
      expect(seriesOf(families, name)).toEqual({});
    expect(seriesOf(families, "wasp_errors_total")).toMatchObject({
      'wasp_errors_total{kind="node-unknown"}': 1,
    });
  });

  test("escapes what a label may not hold", async () => {
    const view = shownAgent({ containers: () => [shownContainer({ pod: 'a"b\\c\nd' })] });
    expect(Object.keys(seriesOf(await scrape(new Shown(view)), "wasp_container_swap_usage_bytes"))).toEqual([
      'wasp_container_swap_usage_bytes{namespace="shop",pod="a\\"b\\\\c\\nd",container="cart"}',
    ]);
  });

  test("is not mixed up with another at the same time", async () => {
    let count = 0;
    const view = shownAgent({ containers: () => [shownContainer({ pod: `pod-${count++}` })] });
    const shown = new Shown(view);
    const texts = await Promise.all([shown.scrape(), shown.scrape()]);
    expect(texts.map((text) => [...new Set(text.match(/pod-\d/g))])).toEqual([["pod-0"], ["pod-1"]]);
  });

  test("shows each of 500 containers", async () => {
    const containers = Array.from({ length: 500 }, (_, index) => shownContainer({ pod: `pod-${index}` }));
    const families = await scrape(new Shown(shownAgent({ containers: () => containers })));
    expect(families.get("wasp_container_swap_limit_bytes")?.series.size).toBe(500);
  });

  test("shows the process's own figures", async () => {
    const families = await scrape(new Shown(shownAgent()));
    const value = (name: string) => seriesOf(families, name)[name] ?? Number.NaN;
    expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
    expect(value("process_cpu_seconds_total")).toBeGreaterThan(0);
    expect(Math.abs(value("process_start_time_seconds") - Date.now() / 1000)).toBeLessThan(86_400);
  });
});
