/** Value over time; undefined where it is unknown. */
export interface Series {
  readonly title: string;
  /** In chronological order. */
  readonly points: readonly Point[];
  /** Value at the top of the chart; without it, a round value above the highest one. */
  readonly ceiling?: number;
  readonly format: (figure: number) => string;
}

/** Value at one time. */
export interface Point {
  readonly atSeconds: number;
  readonly figure: number | undefined;
}

/** Time axis of a row, with its width in columns. */
export interface TimeAxis {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly columns: number;
}

/** Width of the label before each row. */
export const LABEL_WIDTH = 28;

const CHART_ROWS = 3;
const BLOCKS = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const EIGHTHS_PER_ROW = BLOCKS.length - 1;
const UNKNOWN_SYMBOL = "·";
// Values within a longer gap are unknown.
const MAX_GAP_SECONDS = 60;

/**
 * Draws values over time in rows of blocks. Each column shows the highest value of its time, so that spikes stay
 * visible.
 */
export function drawSeries(series: Series, axis: TimeAxis): string[] {
  const highest = highestPerColumn(series.points, axis);
  const ceiling = series.ceiling ?? roundUp(Math.max(0, ...highest.map((figure) => figure ?? 0)));
  const eighths = highest.map(
    (figure) => figure && Math.max(1, Math.round((figure / ceiling) * CHART_ROWS * EIGHTHS_PER_ROW)),
  );
  return Array.from({ length: CHART_ROWS }, (_, row) => {
    const below = (CHART_ROWS - 1 - row) * EIGHTHS_PER_ROW;
    const isLowest = below === 0;
    const blocks = eighths.map((height) => {
      if (height === undefined) return isLowest ? UNKNOWN_SYMBOL : " ";
      return BLOCKS[Math.min(EIGHTHS_PER_ROW, Math.max(0, height - below))];
    });
    const title = row === 0 ? series.title : "";
    const figure = row === 0 ? series.format(ceiling) : isLowest ? series.format(0) : "";
    return `${label(title, figure)}┤${blocks.join("")}`.trimEnd();
  });
}

/** Interval of a row; a single column if it ends where it begins. */
export interface Interval {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** One character. */
  readonly symbol: string;
}

/** Draws a row of intervals, later ones over earlier ones. */
export function drawIntervals(title: string, intervals: readonly Interval[], axis: TimeAxis): string {
  const row = Array.from({ length: axis.columns }, () => " ");
  for (const { fromSeconds, toSeconds, symbol } of intervals) {
    const first = columnOf(fromSeconds, axis);
    row.fill(symbol, first, Math.max(first + 1, columnOf(toSeconds, axis)));
  }
  return `${label(title, "")}│${row.join("")}`.trimEnd();
}

/** Draws the axis with its times. */
export function drawAxis(axis: TimeAxis, format: (seconds: number) => string): string[] {
  const { fromSeconds, toSeconds, columns } = axis;
  const line = Array.from({ length: columns }, () => "─");
  const times = Array.from({ length: columns }, () => " ");
  const count = Math.max(1, Math.floor(columns / MIN_TICK_COLUMNS));
  for (let tick = 0; tick < count; tick++) {
    const column = Math.floor((tick * columns) / count);
    const text = format(fromSeconds + ((toSeconds - fromSeconds) * column) / Math.max(1, columns - 1));
    line[column] = "┬";
    times.splice(column, text.length, ...text);
  }
  return [`${label("", "")}└${line.join("")}`, `${label("", "")} ${times.join("")}`.trimEnd()];
}

const MIN_TICK_COLUMNS = 12;
const ELLIPSIS = "…";

function label(title: string, figure: string): string {
  const room = LABEL_WIDTH - figure.length - 2;
  const shown = title.length > room ? `${title.slice(0, room - 1)}${ELLIPSIS}` : title;
  return `${shown.padEnd(room)} ${figure} `;
}

function columnOf(atSeconds: number, { fromSeconds, toSeconds, columns }: TimeAxis): number {
  if (toSeconds <= fromSeconds) return 0;
  const column = Math.floor(((atSeconds - fromSeconds) / (toSeconds - fromSeconds)) * columns);
  return Math.min(columns - 1, Math.max(0, column));
}

function highestPerColumn(points: readonly Point[], axis: TimeAxis): (number | undefined)[] {
  const highest: (number | undefined)[] = Array.from({ length: axis.columns });
  let before: { readonly point: Point; readonly column: number } | undefined;
  for (const point of points) {
    const column = columnOf(point.atSeconds, axis);
    // Columns between two samples show the earlier one.
    if (before !== undefined && point.atSeconds - before.point.atSeconds <= MAX_GAP_SECONDS)
      highest.fill(before.point.figure, before.column + 1, column);
    const highestSoFar = highest[column];
    highest[column] =
      point.figure === undefined ? highestSoFar : Math.max(highestSoFar ?? point.figure, point.figure);
    before = { point, column };
  }
  return highest;
}

/** Returns the next of 1, 2, 5, 10, 20, 50, ..., of any power of ten; 1 for 0. */
function roundUp(figure: number): number {
  if (figure <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(figure));
  return power * ([1, 2, 5, 10].find((step) => step * power >= figure) ?? 10);
}
