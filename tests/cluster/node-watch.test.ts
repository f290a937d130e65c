import { afterAll, beforeEach, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { stopComplaint, stopsEviction } from "../../src/cluster/node-eviction-stop.ts";
import { NodeWatch } from "../../src/cluster/node-watch.ts";
import { failure, hangUp } from "../node/api-answers.ts";
import { openWatch } from "../node/chunks.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import { answer } from "../node/fake-kubelet.ts";

const NODE = "node-0";
const BACKOFF = { firstMilliseconds: 10, maxMilliseconds: 40 };

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode(NODE);
});

/** Watches the node, and records the calls of its listener. */
class Follower implements Disposable {
  /** Values of the annotation, each with a question mark if the node was read and not watched. */
  readonly seen: string[] = [];
  readonly errors: string[] = [];
  readonly #watch = new NodeWatch(
    { server: new ApiServer(fake.options), nodeName: NODE, backoff: BACKOFF },
    {
      onNode: ({ annotations }, isWatched) =>
        this.seen.push(`${annotations["wasp.io/eviction"]}${isWatched ? "" : "?"}`),
      onError: ({ message }) => this.errors.push(message),
    },
  );

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await Bun.sleep(5);
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}

function annotate(value: string): void {
  fake.objects.putNode(NODE, { metadata: { annotations: { "wasp.io/eviction": value } } });
}

test("a node is reported as it is, and after each change, by one watch of this node alone", async () => {
  using follower = new Follower();
  await follower.until(() => follower.seen.length === 1);
  annotate("Off");
  annotate("On");
  fake.objects.putNode("node-1", { metadata: { annotations: { "wasp.io/eviction": "Other" } } });
  annotate("Off");
  await follower.until(() => follower.seen.length === 4);
  expect(follower.seen).toEqual(["undefined", "Off", "On", "Off"]);
  expect(fake.nodeWatches.queries.map((query) => Object.fromEntries(query))).toEqual([
    {
      watch: "1",
      fieldSelector: "metadata.name=node-0",
      timeoutSeconds: expect.stringMatching(/^([6-9]\d|1[0-2]\d)$/),
    },
  ]);
  expect(follower.errors).toEqual([]);
});

test("a watch that ends or breaks is started again, and misses no change", async () => {
  using follower = new Follower();
  await follower.until(() => follower.seen.length === 1);
  fake.nodeWatches.drop();
  annotate("Off");
  await follower.until(() => follower.seen.includes("Off"));
  expect(follower.errors).toEqual([expect.stringMatching(/^cannot reach the API server/)]);
  await Bun.sleep(1000);
  fake.nodeWatches.end();
  annotate("On");
  await follower.until(() => follower.seen.includes("On"));
  expect(follower.errors).toHaveLength(1);
});

test("without the permission to watch, the node is read at each retry", async () => {
  fake.nodeWatches.always = failure(403, "Forbidden", 'cannot watch resource "nodes"');
  using follower = new Follower();
  await follower.until(() => follower.seen.length > 1);
  expect(follower.errors[0]).toMatch(/requires a permission .* cannot watch resource "nodes"/);
  annotate("Off");
  await follower.until(() => follower.seen.includes("Off?"));
  expect(follower.seen.filter((seen) => !seen.endsWith("?"))).toEqual([]);
  fake.nodeWatches.always = undefined;
  await follower.until(() => follower.seen.includes("Off"));
});

test.each([
  ["a reset connection", hangUp, /cannot reach/],
  ["the end of the watch at once", answer("200 OK", ""), /ended a watch as soon as it had begun/],
  ["text", openWatch("gone\n"), /malformed response: not JSON/],
  [
    "an object without a version",
    openWatch('{"type":"ADDED","object":{"kind":"Node","metadata":{}}}\n'),
    /malformed response: not a watch event: object.metadata.resourceVersion: missing/,
  ],
  [
    "another kind",
    openWatch('{"type":"ADDED","object":{"kind":"Pod","metadata":{"resourceVersion":"1"}}}\n'),
    /malformed response: not a Node: kind/,
  ],
  [
    "an error",
    openWatch('{"type":"ERROR","object":{"code":410,"message":"too old"}}\n'),
    /ended a watch: 410 too old/,
  ],
])("%s is an error, and the node is watched again", async (_, given, message) => {
  fake.nodeWatches.instead(given);
  using follower = new Follower();
  await follower.until(() => follower.seen.includes("undefined"));
  expect(follower.errors).toEqual([expect.stringMatching(message)]);
});

test("bookmarks and the deletion of the node change nothing", async () => {
  const object = { kind: "Node", metadata: { resourceVersion: "1" } };
  const lines = ["BOOKMARK", "DELETED", "MODIFIED"].map((type) => `${JSON.stringify({ type, object })}\n`);
  fake.nodeWatches.instead(openWatch(lines.join("")));
  using follower = new Follower();
  await follower.until(() => follower.seen.length > 0);
  expect(follower.seen).toEqual(["undefined"]);
});

test("nothing is reported once it is closed", async () => {
  const follower = new Follower();
  await follower.until(() => fake.nodeWatches.open === 1 && follower.seen.length === 1);
  follower[Symbol.dispose]();
  await follower.until(() => fake.nodeWatches.open === 0);
  annotate("Off");
  await Bun.sleep(100);
  expect(follower).toMatchObject({ seen: ["undefined"], errors: [] });
  expect(fake.nodeWatches.queries).toHaveLength(1);
});

test.each([
  ["Off", true, undefined],
  ["off", true, undefined],
  ["OFF", true, undefined],
  ["", false, '""'],
  ["On", false, '"On"'],
  ["false", false, '"false"'],
  ["Off ", false, '"Off "'],
  ["x\n".repeat(200), false, JSON.stringify("x\n".repeat(50))],
])("the value %p stops evictions: %p", (value, isStopped, shown) => {
  const node = {
    resourceVersion: "1",
    annotations: { "wasp.io/eviction": value },
    taints: [],
    conditions: [],
  };
  expect(stopsEviction(node)).toBe(isStopped);
  const complaint = `wasp.io/eviction: ${shown} is not Off, the only value that stops evictions`;
  expect(stopComplaint(node)).toBe(shown && complaint);
});

test("a node without the annotation stops nothing", () => {
  const node = { resourceVersion: "1", annotations: {}, taints: [], conditions: [] };
  expect([stopsEviction(node), stopComplaint(node)]).toEqual([false, undefined]);
});
