import { afterAll, beforeEach, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { getPod } from "../../src/cluster/pod.ts";
import { PodSet } from "../../src/cluster/pod-set.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import { failure, hangUp } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster, podJson } from "../node/fake-cluster.ts";
import { type Answer, answer, silence } from "../node/fake-kubelet.ts";
import { patience } from "../patience.ts";

const LINE = "GET /api/v1/namespaces/test/pods/pod-0";

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => fake.reset(new FakeCluster(1, 1)));

const uid = () => fake.cluster.pods.get("pod-0")?.uid ?? "";
const get = (of = uid(), timeoutMilliseconds = patience(10)) =>
  getPod(
    new ApiServer({ ...fake.options, timeoutMilliseconds }),
    { namespace: "test", name: "pod-0", uid: of },
    new AbortController().signal,
  );

test("a pod is read with its current fields", async () => {
  fake.cluster.put("pod-0", "node-0");
  expect(await get()).toMatchObject({
    namespace: "test",
    name: "pod-0",
    uid: uid(),
    annotations: { "wasp.io/swap-limit": String(fake.cluster.revision) },
  });
  expect(fake.objects.requests.map(({ line }) => line)).toEqual([LINE]);
});

test("a pod's author cannot make it static, at the API server", async () => {
  const pod = podJson({ name: "pod-0", uid: uid(), node: "node-0", revision: 1 });
  const annotations = {
    "kubernetes.io/config.source": "file",
    "kubernetes.io/config.mirror": "hash",
    "wasp.io/evict": "false",
  };
  const kept = { "kubernetes.io/config.mirror": "hash", "wasp.io/evict": "false" };
  const forged = { kind: "Pod", ...pod, metadata: { ...pod.metadata, annotations } };
  fake.objects.instead(LINE, answer("200 OK", JSON.stringify(forged)));
  expect((await get())?.annotations).toEqual(kept);
  const pods = new PodSet();
  pods.put(forged);
  expect(pods.list().pods.map((decoded) => decoded.annotations)).toEqual([kept]);
});

test("a pod that is gone is undefined, even if another one has its name", async () => {
  const before = uid();
  fake.cluster.remove("pod-0");
  expect(await get(before)).toBeUndefined();
  fake.cluster.put("pod-0", "node-0");
  expect(await get(before)).toBeUndefined();
  expect(await get()).toBeDefined();
});

test("a name cannot change the path", async () => {
  const ref = { namespace: "../../nodes", name: "a/b?c", uid: "u" };
  expect(await getPod(new ApiServer(fake.options), ref, new AbortController().signal)).toBeUndefined();
  expect(fake.objects.requests[0]?.line).toBe("GET /api/v1/namespaces/..%2F..%2Fnodes/pods/a%2Fb%3Fc");
});

const unnamed = () => ({ ...podJson({ name: "pod-0", uid: "u", node: "n", revision: 1 }), spec: null });

test.each<[string, Answer, RequestErrorKind, RegExp]>([
  ["no permission", failure(403, "Forbidden", "no"), "forbidden", /requires a permission .*: 403 no$/],
  ["an error", failure(500, "InternalError", "etcd"), "status", /answered 500 etcd$/],
  ["a lost connection", hangUp, "unreachable", /^cannot reach the API server/],
  ["no response", silence, "timeout", /did not answer within 0\.5 s$/],
  ["malformed JSON", answer("200 OK", "{"), "malformed", /sent a malformed response: /],
  [
    "another object",
    answer("200 OK", "{}"),
    "malformed",
    /sent a malformed response: not a Pod: pod test\/pod-0: metadata: missing$/,
  ],
  [
    "a pod without containers",
    answer("200 OK", JSON.stringify(unnamed())),
    "malformed",
    /not a Pod: pod test\/pod-0: spec: null is not Object$/,
  ],
])("a pod cannot be read: %s", async (_, given, kind, message) => {
  fake.objects.always(LINE, given);
  const timeoutMilliseconds = given === silence ? 500 : patience(10);
  await expect(get(uid(), timeoutMilliseconds)).rejects.toMatchObject({
    kind,
    message: expect.stringMatching(message),
  });
});
