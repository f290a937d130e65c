import { afterAll, beforeEach, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { getNode } from "../../src/cluster/node.ts";
import { evictionsOf, recordEvictions } from "../../src/cluster/node-evictions.ts";
import { failure } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";

const KEY = "wasp.io/evictions";
const FIRST = { podUid: "4f7bd51f-0db5-4bdd-8da8-1", atMilliseconds: Date.parse("2026-11-22T02:00:00Z") };
const SECOND = { podUid: "4f7bd51f-0db5-4bdd-8da8-2", atMilliseconds: Date.parse("2026-11-22T02:05:07Z") };
const never = new AbortController().signal;

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.objects.putNode("node-0");
});

const server = () => new ApiServer(fake.options);
const node = () => fake.objects.nodes.get("node-0");
const read = async () => evictionsOf(await getNode(server(), "node-0", never));

test("evictions are recorded in an annotation, and nothing else of the node changes", async () => {
  expect(await read()).toEqual([]);
  const before = structuredClone(node());
  await recordEvictions(server(), "node-0", [FIRST], never);
  await recordEvictions(
    server(),
    "node-0",
    [FIRST, { ...SECOND, atMilliseconds: SECOND.atMilliseconds + 9 }],
    never,
  );
  const { annotations, resourceVersion, ...metadata } = node()?.metadata ?? {};
  expect(annotations?.[KEY]).toBe(
    `${FIRST.podUid}@2026-11-22T02:00:00Z ${SECOND.podUid}@2026-11-22T02:05:07Z`,
  );
  expect(await read()).toEqual([FIRST, SECOND]);
  const { [KEY]: _, ...others } = annotations ?? {};
  expect({ ...node(), metadata: { ...metadata, annotations: others } }).toEqual({
    ...before,
    metadata: { ...metadata, annotations: before?.metadata.annotations ?? {} },
  });
});

test.each([
  ["", []],
  ["nonsense", []],
  [`@ @@ ${SECOND.podUid}@yesterday ${FIRST.podUid}@2026-11-22T02:00:00Z  x`, [FIRST]],
])("entries that cannot be parsed are left out: %j", async (text, expected) => {
  fake.objects.putNode("node-0", {
    metadata: { name: "node-0", resourceVersion: "1", annotations: { [KEY]: text } },
  });
  expect(await read()).toEqual(expected);
});

test("a failed recording rejects with the API server's message", async () => {
  fake.objects.always("PATCH /api/v1/nodes/node-0", failure(403, "Forbidden", "no such permission"));
  expect(recordEvictions(server(), "node-0", [FIRST], never)).rejects.toMatchObject({
    kind: "forbidden",
    message: expect.stringContaining("no such permission"),
  });
});
