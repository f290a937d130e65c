import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { deletePod, evictPod } from "../../src/cluster/eviction.ts";
import type { EvictionAnswer } from "../../src/policy/eviction/answer.ts";
import { failure, hangUp, tooBusy, webhookDenial } from "../node/api-answers.ts";
import { FakeApiServer, recordedApiAnswer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import { type Answer, answer, brokenAnswer, silence } from "../node/fake-kubelet.ts";

const POD = { namespace: "test", name: "pod-0" };
const PATH = "/api/v1/namespaces/test/pods/pod-0";
const EVICTION = `POST ${PATH}/eviction`;
const DELETION = `DELETE ${PATH}`;
const never = new AbortController().signal;

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => fake.reset(new FakeCluster(2, 2)));

const uid = () => fake.cluster.pods.get("pod-0")?.uid ?? "";
const evict = (options = {}, server = new ApiServer(fake.options)) =>
  evictPod(server, { ...POD, uid: uid() }, options, never);

describe("an eviction", () => {
  test("is requested for the pod with this UID, with the pod's own grace period", async () => {
    const before = uid();
    expect(await evict()).toEqual({
      answer: "accepted",
      message: "accepted",
      retryAfterSeconds: undefined,
    });
    expect(fake.objects.requests).toEqual([
      {
        line: EVICTION,
        contentType: "application/json",
        body: {
          apiVersion: "policy/v1",
          kind: "Eviction",
          metadata: POD,
          deleteOptions: { preconditions: { uid: before } },
        },
      },
    ]);
    expect([...fake.cluster.pods.keys()]).toEqual(["pod-1"]);
  });

  test("accepts a grace period of 0", async () => {
    await evict({ gracePeriodSeconds: 0 });
    expect(fake.objects.writes[0]?.body).toHaveProperty("deleteOptions.gracePeriodSeconds", 0);
  });

  test("as a dry run has the same reply, and evicts no pod", async () => {
    expect((await evict({ isDryRun: true })).answer).toBe("accepted");
    expect(fake.cluster.pods.get("pod-0")?.isTerminating).toBeUndefined();
  });

  test("of a pod that never ends is accepted each time", async () => {
    fake.objects.onTermination = () => {};
    expect([(await evict()).answer, (await evict()).answer]).toEqual(["accepted", "accepted"]);
    expect(fake.cluster.pods.get("pod-0")?.isTerminating).toBe(true);
  });

  test("of a pod that is gone is answered as gone", async () => {
    const ref = { ...POD, uid: uid() };
    fake.cluster.remove("pod-0");
    const reply = await evictPod(new ApiServer(fake.options), ref, {}, never);
    expect(reply).toMatchObject({ answer: "gone", message: 'pods "pod-0" not found' });
  });

  test("does not affect another pod of the same name", async () => {
    const ref = { ...POD, uid: uid() };
    fake.cluster.remove("pod-0");
    fake.cluster.put("pod-0", "node-0");
    const reply = await evictPod(new ApiServer(fake.options), ref, {}, never);
    expect(reply.answer).toBe("gone");
    expect(reply.message).toContain("The object might have been deleted and then recreated");
    expect(fake.cluster.pods.get("pod-0")?.isTerminating).toBeUndefined();
  });
});

const PDB = "Cannot evict pod as it would violate the pod's disruption budget.";
const EVACUATION = 'Eviction triggered evacuation of VMI "test/vm"';
const TWO_BUDGETS =
  "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
// The API server sends this one with a status of success.
const twoBudgets = answer(
  "201 Created",
  JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", message: TWO_BUDGETS, code: 500 }),
);
const stillProcessed = failure(429, "TooManyRequests", PDB, {
  causes: [
    {
      reason: "DisruptionBudget",
      message: "The disruption budget web is still being processed by the server.",
    },
  ],
  retryAfterSeconds: 10,
});
const forbidden = (words: string) => failure(403, "Forbidden", words, { name: "pod-0", kind: "pods" });
const noPermission = (what: string) =>
  `pods "pod-0" is forbidden: User "system:serviceaccount:wasp:wasp" cannot ${what} in API group "" in the namespace "test"`;
const policy = `pods "pod-0" is forbidden: ValidatingAdmissionPolicy 'keep' with binding 'all' denied request: no`;

// Response, its meaning, and the message in the reply.
const ANSWERS: [string, Answer, EvictionAnswer, string][] = [
  ["recorded: 201", recordedApiAnswer("eviction-201.http"), "accepted", "accepted"],
  ["recorded: 201 of a dry run", recordedApiAnswer("eviction-201-dryrun.http"), "accepted", "accepted"],
  ["recorded: 404", recordedApiAnswer("eviction-404.http"), "gone", 'pods "nosuch" not found'],
  ["recorded: 409", recordedApiAnswer("eviction-409-uid.http"), "gone", "does not match the UID in record"],
  [
    "recorded: 429",
    recordedApiAnswer("eviction-429-pdb.http"),
    "blocked",
    `${PDB} The disruption budget web needs 1 healthy pods and has 1 currently`,
  ],
  ["a budget that is new", stillProcessed, "blocked", "web is still being processed"],
  [
    "a budget with an inconsistent status",
    forbidden('poddisruptionbudgets.policy "web" is forbidden: pdb disruptions allowed is negative'),
    "blocked",
    "pdb disruptions allowed is negative",
  ],
  ["two budgets", twoBudgets, "never", TWO_BUDGETS],
  ["two budgets, with the status of a failure", failure(500, undefined, TWO_BUDGETS), "never", TWO_BUDGETS],
  [
    "a different UID in etcd",
    failure(
      409,
      "Conflict",
      'Operation cannot be fulfilled on pods "pod-0": StorageError: invalid object, Code: 4, Key: /registry/pods/test/pod-0, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: a, UID in object meta: b',
    ),
    "gone",
    "UID in object meta: b",
  ],
  [
    "another conflict",
    failure(409, "Conflict", "the object has been modified"),
    "failed",
    "answered 409 the object has been modified",
  ],
  ["KubeVirt: evacuates", webhookDenial(429, EVACUATION), "evacuating", EVACUATION],
  [
    "KubeVirt: evacuates already",
    webhookDenial(429, `Evacuation in progress: ${EVACUATION}`),
    "evacuating",
    "Evacuation in progress",
  ],
  [
    "KubeVirt: cannot evacuate",
    webhookDenial(429, "VMI vm is configured with an eviction strategy but is not live-migratable"),
    "never",
    "is not live-migratable",
  ],
  [
    "KubeVirt: target",
    webhookDenial(429, "Eviction request for target Pod"),
    "never",
    "Eviction request for target Pod",
  ],
  [
    "KubeVirt: hotplug",
    webhookDenial(429, "cannot evict hotplug pod: hp associated with running vmi: vm in namespace test"),
    "never",
    "cannot evict hotplug pod: hp",
  ],
  [
    "KubeVirt: fails",
    webhookDenial(429, "kubevirt failed getting the vmi: timeout"),
    "blocked",
    "kubevirt failed getting the vmi",
  ],
  ["a webhook that fails", webhookDenial(500, "panic", "keep.example"), "blocked", "panic"],
  ["a webhook that denies", webhookDenial(403, "not this one", "keep.example"), "never", "not this one"],
  ["a policy that denies", failure(422, "Invalid", policy), "never", "denied request: no"],
  ["throttling", tooBusy, "failed", "answered 429 Too many requests, please try again later."],
  [
    "throttling with a Status",
    failure(429, "TooManyRequests", "storage is (re)initializing"),
    "failed",
    "429",
  ],
  [
    "no permission",
    forbidden(noPermission('create resource "pods/eviction"')),
    "failed",
    'cannot create resource "pods/eviction"',
  ],
  [
    "an invalid token",
    failure(401, "Unauthorized", "Unauthorized"),
    "failed",
    "does not accept the token in",
  ],
  [
    "no such subresource",
    failure(404, "NotFound", "the server could not find the requested resource"),
    "failed",
    "answered 404 the server could not find the requested resource",
  ],
  [
    "a webhook that cannot be reached",
    failure(500, "InternalError", 'Internal error occurred: failed calling webhook "keep.example"'),
    "failed",
    "answered 500 Internal error occurred",
  ],
  [
    "conflicts over a budget",
    failure(504, "Timeout", "Timeout: couldn't update PodDisruptionBudget", { retryAfterSeconds: 10 }),
    "failed",
    "answered 504 Timeout",
  ],
  [
    "an error of a gateway",
    answer("502 Bad Gateway", "<html>bad gateway</html>"),
    "failed",
    "answered 502 <html>",
  ],
  ["a redirect", answer("302 Found", ""), "failed", "answered 302"],
  ["a lost connection", hangUp, "failed", "cannot reach the API server"],
  ["a connection lost within the response", brokenAnswer(TWO_BUDGETS), "failed", "cannot reach"],
];

describe("the response to an eviction", () => {
  test.each(ANSWERS)("%s", async (_, given, expected, words) => {
    fake.objects.always(EVICTION, given);
    const reply = await evict();
    expect(reply.answer).toBe(expected);
    expect(reply.message).toContain(words);
    // No response causes a second request.
    expect(fake.objects.requests).toHaveLength(1);
    expect(fake.cluster.pods.has("pod-0")).toBe(true);
  });

  test.each<[string, Answer, number | undefined]>([
    ["a header", tooBusy, 7],
    ["its body", stillProcessed, 10],
    ["nothing", recordedApiAnswer("eviction-429-pdb.http"), undefined],
  ])("has in %s the time to wait", async (_, given, retryAfterSeconds) => {
    fake.objects.always(EVICTION, given);
    expect((await evict()).retryAfterSeconds).toBe(retryAfterSeconds);
  });

  test("is waited for only until the timeout", async () => {
    fake.objects.always(EVICTION, silence);
    const reply = await evict({}, new ApiServer({ ...fake.options, timeoutMilliseconds: 200 }));
    expect(reply.answer).toBe("failed");
    expect(reply.message).toMatch(/^the API server \(\S+\/pod-0\/eviction\) did not answer within 0\.2 s$/);
  });

  test("is aborted with `closing`", async () => {
    const closing = new AbortController();
    fake.objects.always(EVICTION, () => closing.abort());
    const server = new ApiServer(fake.options);
    const reply = await evictPod(server, { ...POD, uid: uid() }, {}, closing.signal);
    expect(reply.answer).toBe("failed");
  });

  test("is evaluated again for each request", async () => {
    fake.objects.instead(EVICTION, recordedApiAnswer("eviction-429-pdb.http"));
    expect([(await evict()).answer, (await evict()).answer]).toEqual(["blocked", "accepted"]);
  });
});

describe("a deletion", () => {
  const remove = (pod = { ...POD, uid: uid() }) => deletePod(new ApiServer(fake.options), pod, never);

  test("is requested for the pod with this UID, with its own grace period", async () => {
    const before = uid();
    expect((await remove()).answer).toBe("accepted");
    expect(fake.objects.requests).toEqual([
      {
        line: DELETION,
        contentType: "application/json",
        body: { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: before } },
      },
    ]);
    expect([...fake.cluster.pods.keys()]).toEqual(["pod-1"]);
  });

  test("does not affect another pod of the same name", async () => {
    expect((await remove({ ...POD, uid: "another" })).answer).toBe("gone");
    expect(fake.cluster.pods.get("pod-0")?.isTerminating).toBeUndefined();
  });

  test.each<[string, Answer, EvictionAnswer, string]>([
    ["gone", failure(404, "NotFound", 'pods "pod-0" not found'), "gone", "not found"],
    [
      "no permission",
      forbidden(noPermission('delete resource "pods"')),
      "failed",
      'cannot delete resource "pods"',
    ],
    ["a webhook that denies", webhookDenial(403, "not this one", "keep.example"), "never", "not this one"],
    ["a lost connection", hangUp, "failed", "cannot reach the API server"],
  ])("%s", async (_, given, expected, words) => {
    fake.objects.always(DELETION, given);
    const reply = await remove();
    expect(reply.answer).toBe(expected);
    expect(reply.message).toContain(words);
  });
});
