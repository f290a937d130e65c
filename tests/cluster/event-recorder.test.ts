import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { type ClusterEvent, EventRecorder } from "../../src/cluster/event-recorder.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import { failure, hangUp, tooBusy } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";
import { type Answer, silence } from "../node/fake-kubelet.ts";
import { patience } from "../patience.ts";

setDefaultTimeout(patience(60));

const FIRST = Date.parse("2026-11-22T02:00:00.750Z");
const POST = "POST /api/v1/namespaces/test/events";
const never = new AbortController().signal;
const evicted: ClusterEvent = {
  regarding: { kind: "Pod", namespace: "test", name: "pod-0", uid: "uid-0" },
  type: "Warning",
  reason: "SwapPressureEviction",
  action: "Evicting",
  note: "swap is 97 % full",
};
const pressed: ClusterEvent = {
  regarding: { kind: "Node", name: "node-0" },
  type: "Normal",
  reason: "SwapPressureRelieved",
  action: "Untainting",
  note: "nothing stalls",
};

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
let now = FIRST;
let recorder: EventRecorder;
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  now = FIRST;
  recorder = recorderOn(patience(10));
});

function recorderOn(timeoutMilliseconds: number, attempts = 1): EventRecorder {
  const server = new ApiServer({ ...fake.options, timeoutMilliseconds });
  return new EventRecorder(server, "node-0", { attempts, pauseMilliseconds: 10 }, () => now);
}

const record = (event: ClusterEvent) => recorder.record(event, never);
const events = () => [...fake.objects.events.values()];
const methods = () => fake.objects.requests.map(({ line }) => line.split(" ")[0]);

describe("an event", () => {
  test("of a pod is in the pod's namespace, where kubectl finds it", async () => {
    expect(await record(evicted)).toBeUndefined();
    expect(events()).toEqual([
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: expect.stringMatching(/^wasp-[-0-9a-f]{36}$/), namespace: "test" },
        involvedObject: { apiVersion: "v1", kind: "Pod", namespace: "test", name: "pod-0", uid: "uid-0" },
        type: "Warning",
        reason: "SwapPressureEviction",
        action: "Evicting",
        message: "swap is 97 % full",
        count: 1,
        firstTimestamp: "2026-11-22T02:00:00Z",
        lastTimestamp: "2026-11-22T02:00:00Z",
        source: { component: "wasp.io/agent", host: "node-0" },
        reportingComponent: "wasp.io/agent",
        reportingInstance: "node-0",
      },
    ]);
  });

  test("of a node is in the default namespace, with the node's name as UID", async () => {
    expect(await record(pressed)).toBeUndefined();
    expect(events()).toMatchObject([
      {
        metadata: { namespace: "default" },
        involvedObject: { apiVersion: "v1", kind: "Node", name: "node-0", uid: "node-0" },
        type: "Normal",
      },
    ]);
  });

  test.each([
    ["", ""],
    ["a".repeat(1024), "a".repeat(1024)],
    ["a".repeat(1025), "a".repeat(1024)],
    ["ä".repeat(600), "ä".repeat(512)],
    [`a${"ä".repeat(600)}`, `a${"ä".repeat(511)}`],
    ["😀".repeat(300), "😀".repeat(256)],
    [`abc${"😀".repeat(300)}`, `abc${"😀".repeat(255)}`],
  ])("is cut to 1024 bytes of whole characters", async (note, message) => {
    await record({ ...evicted, note });
    expect(events()).toMatchObject([{ message }]);
  });
});

describe("an event that repeats", () => {
  test("is counted, and shows the latest figures", async () => {
    for (const note of ["97 %", "98 %", "99 %"]) {
      expect(await record({ ...evicted, note })).toBeUndefined();
      now += 60_000;
    }
    expect(methods()).toEqual(["POST", "PATCH", "PATCH"]);
    expect(fake.objects.writes[1]?.contentType).toBe("application/merge-patch+json");
    expect(events()).toMatchObject([
      {
        count: 3,
        message: "99 %",
        firstTimestamp: "2026-11-22T02:00:00Z",
        lastTimestamp: "2026-11-22T02:02:00Z",
        reason: "SwapPressureEviction",
      },
    ]);
  });

  test("is a new one for another pod, type, reason or action", async () => {
    const { regarding } = evicted;
    const others: ClusterEvent[] = [
      evicted,
      { ...evicted, regarding: { ...regarding, uid: "uid-1" } as ClusterEvent["regarding"] },
      { ...evicted, type: "Normal" },
      { ...evicted, reason: "Another" },
      { ...evicted, action: "Deleting" },
      pressed,
    ];
    for (const event of others) await record(event);
    expect(events()).toHaveLength(others.length);
    expect(methods()).not.toContain("PATCH");
  });

  test("is created again after the API server has deleted it", async () => {
    await record(evicted);
    await record(evicted);
    fake.objects.events.clear();
    now += 7_200_000;
    await record(evicted);
    expect(methods()).toEqual(["POST", "PATCH", "PATCH", "POST"]);
    await record(evicted);
    expect(events()).toMatchObject([{ count: 2, firstTimestamp: "2026-11-22T04:00:00Z" }]);
  });

  test("during its own request is counted with the next one", async () => {
    await Promise.all([record(evicted), record(evicted), record(evicted)]);
    expect(methods()).toEqual(["POST"]);
    await record(evicted);
    expect(events()).toMatchObject([{ count: 4 }]);
  });

  test("counts a repeat that could not be sent", async () => {
    await record(evicted);
    const [key = ""] = fake.objects.events.keys();
    fake.objects.instead(`PATCH /api/v1/namespaces/test/events/${key.replace("test/", "")}`, hangUp);
    expect((await record(evicted))?.kind).toBe("unreachable");
    expect(await record(evicted)).toBeUndefined();
    expect(events()).toMatchObject([{ count: 3 }]);
  });

  test("is counted for the latest 200 kinds", async () => {
    const of = (uid: number): ClusterEvent => ({
      ...evicted,
      regarding: { kind: "Pod", namespace: "test", name: "pod", uid: String(uid) },
    });
    for (let uid = 0; uid <= 200; uid++) await record(of(uid));
    fake.objects.requests.length = 0;
    await record(of(1));
    await record(of(0));
    expect(methods()).toEqual(["PATCH", "POST"]);
  });
});

describe("an event that cannot be recorded", () => {
  test.each<[string, Answer, RequestErrorKind]>([
    ["for lack of a permission", failure(403, "Forbidden", "no"), "forbidden"],
    [
      "in a namespace that is being deleted",
      failure(403, "Forbidden", "because it is being terminated"),
      "forbidden",
    ],
    ["because it is invalid", failure(422, "Invalid", "is invalid"), "status"],
    ["because the API server is busy", tooBusy, "status"],
    ["because the API server fails", failure(500, "InternalError", "etcd"), "status"],
    ["because the connection is lost", hangUp, "unreachable"],
    ["because of a timeout", silence, "timeout"],
  ])("%s returns the error, and the next one succeeds", async (_, given, kind) => {
    recorder = recorderOn(given === silence ? patience(0.5) : patience(10));
    fake.objects.instead(POST, given);
    expect((await record(evicted))?.kind).toBe(kind);
    expect(await record(evicted)).toBeUndefined();
    expect(events()).toMatchObject([{ count: 2 }]);
  });

  test.each<[string, Answer]>([
    ["is busy", tooBusy],
    ["fails", failure(500, "InternalError", "etcd")],
    ["loses the connection", hangUp],
  ])("because the API server %s for a moment is sent again", async (_, given) => {
    recorder = recorderOn(patience(10), 3);
    fake.objects.instead(POST, given, given);
    expect(await record(evicted)).toBeUndefined();
    expect(events()).toMatchObject([{ count: 1 }]);
    expect(methods()).toEqual(["POST", "POST", "POST"]);
  });

  test("after several attempts, or for good, returns the error", async () => {
    recorder = recorderOn(patience(10), 3);
    fake.objects.instead(POST, hangUp, hangUp, hangUp, failure(403, "Forbidden", "no"));
    expect((await record(evicted))?.kind).toBe("unreachable");
    expect((await record(evicted))?.kind).toBe("forbidden");
    expect(methods()).toHaveLength(4);
  });

  test("because only the answer is lost is not created twice", async () => {
    recorder = recorderOn(patience(0.5), 2);
    fake.objects.withhold(({ line }) => line === POST);
    expect(await record(evicted)).toBeUndefined();
    expect(methods()).toEqual(["POST", "POST"]);
    await record(evicted);
    expect(events()).toMatchObject([{ count: 2 }]);
  });
});
