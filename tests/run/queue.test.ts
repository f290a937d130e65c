import { expect, test } from "bun:test";
import { runQueue } from "./queue.ts";

test("tasks start in their order, and never more of them at once than allowed", async () => {
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const tasks = Array.from({ length: 9 }, (_, number) => ({
    name: `task ${number}`,
    run: async () => {
      started.push(number);
      most = Math.max(most, ++running);
      await Bun.sleep(number % 3);
      running--;
    },
  }));
  await runQueue(tasks, 3, () => {});
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(most).toBe(3);
});
