import { afterEach, beforeEach, expect, test } from "bun:test";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { ServerPresence } from "../../src/cluster/server-presence.ts";

let server: Server;
let port: number;
const connections = new Set<Socket>();
const events: string[] = [];
const listener = { onGone: () => events.push("gone"), onReturned: () => events.push("returned") };

async function comeUp(): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
}

function goDown(): void {
  server.close();
  for (const connection of connections) connection.destroy();
  connections.clear();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

beforeEach(async () => {
  server = createServer((connection) => connections.add(connection.on("error", () => {})));
  port = 0;
  await comeUp();
  port = (server.address() as AddressInfo).port;
  events.length = 0;
});
afterEach(goDown);

test("a server's end shows at once, and its return within seconds, also if it was away at first", async () => {
  goDown();
  using _presence = new ServerPresence({ host: "127.0.0.1", port }, listener);
  await Bun.sleep(100);
  await comeUp();
  await until(() => events.join() === "returned");
  goDown();
  await until(() => events.join() === "returned,gone");
  await comeUp();
  const up = performance.now();
  await until(() => events.join() === "returned,gone,returned");
  expect(performance.now() - up).toBeLessThan(5000);
});

test("nothing is sent, and a server that stays is no event", async () => {
  const received: unknown[] = [];
  server.on("connection", (connection: Socket) => connection.on("data", (chunk) => received.push(chunk)));
  using _presence = new ServerPresence({ host: "127.0.0.1", port }, listener);
  await until(() => connections.size === 1);
  await Bun.sleep(300);
  expect({ received, events }).toEqual({ received: [], events: [] });
});

test("a server that ends every connection at once is tried less and less often", async () => {
  server.on("connection", (connection: Socket) => connection.destroy());
  using _presence = new ServerPresence({ host: "127.0.0.1", port }, listener);
  await Bun.sleep(5000);
  // After 1, 2 and 4 seconds.
  expect(events.filter((event) => event === "gone").length).toBeLessThanOrEqual(3);
});

test("after its disposal there are no events", async () => {
  const presence = new ServerPresence({ host: "127.0.0.1", port }, listener);
  await until(() => connections.size === 1);
  presence[Symbol.dispose]();
  goDown();
  await Bun.sleep(1500);
  expect(events).toEqual([]);
});
