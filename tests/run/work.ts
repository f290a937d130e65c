// Fixed piece of work that measures the machine: like the tests, it reads and writes JSON and starts processes. Prints
// the milliseconds that it took.
const ROUNDS = 250;

const started = performance.now();
const pods = Array.from({ length: 500 }, (_, number) => ({ name: `pod-${number}`, requests: [number, 64] }));
for (let round = 0; round < ROUNDS; round++) {
  for (let time = 0; time < 8; time++) JSON.parse(JSON.stringify(pods));
  Bun.spawnSync(["true"]);
}
console.log(performance.now() - started);
