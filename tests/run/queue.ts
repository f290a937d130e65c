/** Work that takes its turn, under a name for the progress line. */
export interface Task {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const PROGRESS_MILLISECONDS = 60_000;

/** Runs tasks in their order, at most so many at once; prints each minute which ones run. */
export async function runQueue(
  tasks: readonly Task[],
  atOnce: number,
  print: (text: string) => void,
): Promise<void> {
  const waiting = [...tasks];
  const startedAt = new Map<string, number>();
  const timer = setInterval(() => print(progressOf(startedAt, waiting.length)), PROGRESS_MILLISECONDS);
  const takeTurns = async () => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      startedAt.set(task.name, performance.now());
      await task.run();
      startedAt.delete(task.name);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, takeTurns));
  } finally {
    clearInterval(timer);
  }
}

function progressOf(startedAt: ReadonlyMap<string, number>, waiting: number): string {
  const running = [...startedAt].map(
    ([name, started]) => `${name} (${Math.round((performance.now() - started) / 1000)} s)`,
  );
  return `...  running: ${running.join(", ")}; waiting: ${waiting}`;
}
