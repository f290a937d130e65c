import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { drawAxis, drawIntervals, drawSeries, LABEL_WIDTH, type Point } from "../../src/trace/chart.ts";

const axis = { fromSeconds: 0, toSeconds: 9, columns: 10 };
const format = (figure: number) => `${figure}`;

function pointsOf(figures: readonly (number | undefined)[], apartSeconds = 1): Point[] {
  return figures.map((figure, index) => ({ atSeconds: index * apartSeconds, figure }));
}

/** Returns the blocks of a chart without labels, the highest row first. */
function blocks(points: readonly Point[], ceiling?: number): string[] {
  const series = { title: "stall", points, format };
  const rows = drawSeries(ceiling === undefined ? series : { ...series, ceiling }, axis);
  return rows.map((row) => row.slice(LABEL_WIDTH + 1));
}

describe("a chart", () => {
  test.each<[string, Point[], string[]]>([
    [
      "from 0 to the maximum",
      pointsOf([0, 3, 6, 9, 12, 15, 18, 21, 24, 24]),
      ["      ▂▅██", "   ▁▄▇████", " ▃▆███████"],
    ],
    ["with unknown values", pointsOf([undefined, undefined, 24, 0]), ["  █", "  █", "··█ ······"]],
    [
      "of fewer samples than columns, each until the next",
      pointsOf([24, 8, 8, 8], 3),
      ["███", "███", "██████████"],
    ],
    [
      "of more samples than columns, by the highest of each column",
      pointsOf([...Array(42).fill(0), 24, ...Array(57).fill(0)], 0.09),
      ["    █", "    █", "    █"],
    ],
  ])("%s", (_, points, expected) => {
    expect(blocks(points, 24)).toEqual(expected);
  });

  test("shows the smallest value above 0", () => {
    expect(blocks(pointsOf([0, 0.001, 0]), 24)[2]).toStartWith(" ▁ ");
  });

  test("shows nothing in a gap", () => {
    const rows = drawSeries(
      { title: "", points: pointsOf([1, 1], 900), format },
      { fromSeconds: 0, toSeconds: 900, columns: 10 },
    );
    expect(rows[2]?.slice(LABEL_WIDTH + 1)).toBe("█········█");
  });

  test("has a round value at its top, and its title", () => {
    const tops = [0, 0.3, 1, 3, 12, 40, 4999, 5001].map(
      (figure) => drawSeries({ title: "t", points: pointsOf([figure]), format }, axis)[0],
    );
    expect(tops.map((top) => /^t +(\S+) ┤/.exec(top ?? "")?.[1])).toEqual([
      "1",
      "0.5",
      "1",
      "5",
      "20",
      "50",
      "5000",
      "10000",
    ]);
  });

  test("never exceeds its width", () => {
    const figure = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined });
    fc.assert(
      fc.property(
        fc.array(figure),
        fc.string(),
        fc.integer({ min: 1, max: 50 }),
        (figures, title, columns) => {
          const points = pointsOf(figures);
          const rows = drawSeries(
            { title, points, format: (at) => `${Math.round(at)}` },
            { fromSeconds: 0, toSeconds: figures.length - 1, columns },
          );
          expect(rows).toHaveLength(3);
          for (const row of rows) expect(row.length).toBeLessThanOrEqual(LABEL_WIDTH + 1 + columns);
        },
      ),
    );
  });
});

test("intervals stand at their times, later ones over earlier ones", () => {
  const intervals = [
    { fromSeconds: 1, toSeconds: 5, symbol: "░" },
    { fromSeconds: 3, toSeconds: 4, symbol: "█" },
    { fromSeconds: 9, toSeconds: 9, symbol: "▲" },
  ];
  const row = drawIntervals("a-threshold-whose-name-is-long", intervals, axis);
  expect(row).toBe("a-threshold-whose-name-is…  │ ░░█░    ▲");
});

test("an axis has its times below it", () => {
  const wide = { fromSeconds: 0, toSeconds: 60, columns: 24 };
  const [line, times] = drawAxis(wide, (seconds) => `${Math.round(seconds)}s`).map((row) =>
    row.slice(LABEL_WIDTH + 1),
  );
  expect(line).toBe("┬───────────┬───────────");
  expect(times).toBe("0s          31s");
});
