import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { PodWatch } from "../../src/cluster/pod-watch.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import {
  type ApiRequest,
  FakeApiServer,
  openWatch,
  recordedApiAnswer,
  recordedLines,
  type Verb,
} from "../node/fake-api-server.ts";
import { FakeCluster, podJson } from "../node/fake-cluster.ts";
import { answer, brokenAnswer, recordedPods, silence } from "../node/fake-kubelet.ts";
import { Follower, NODE } from "./follower.ts";

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => fake.reset(new FakeCluster(200, 110)));

const verbs = (): Verb[] => fake.requests.map(({ verb }) => verb);
const last = (): ApiRequest => fake.requests.at(-1) as ApiRequest;
const event = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;
const podOf = (name: string, node = NODE) =>
  podJson({ name, uid: `uid-${name}`, node, revision: fake.cluster.revision }) as { metadata: object };

describe("the list", () => {
  test("asks the API server's cache for the node's pods, and is told whole", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    expect(follower.told.map(({ pods }) => pods.length)).toEqual([110]);
    const [list, watch] = fake.requests;
    expect(list?.path).toBe("/api/v1/pods");
    expect(Object.fromEntries(list?.query ?? [])).toEqual({
      fieldSelector: "spec.nodeName=node-0",
      limit: "100",
      resourceVersion: "0",
    });
    expect(watch?.path).toBe("/api/v1/pods");
    expect(Object.fromEntries(watch?.query ?? [])).toEqual({
      fieldSelector: "spec.nodeName=node-0",
      watch: "1",
      resourceVersion: String(fake.cluster.revision),
      allowWatchBookmarks: "true",
      timeoutSeconds: expect.stringMatching(/^[3-6]\d\d$/),
    });
  });

  test("comes in pages, and is told when the last one is there", async () => {
    fake.hasCache = false;
    using follower = new Follower(fake, { pageSize: 40 });
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "continue", "continue", "watch"]);
    expect(follower.told.map(({ pods }) => pods.length)).toEqual([110]);
    expect(fake.requests.map(({ query }) => query.get("limit"))).toEqual(["40", "40", "40", null]);
    expect(fake.requests.map(({ query }) => query.has("resourceVersion"))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test("of a node without pods is told too", async () => {
    using follower = new Follower(fake, { nodeName: "node-9" });
    await follower.until(() => fake.watches === 1);
    expect(follower.told).toEqual([{ pods: [], problems: [] }]);
  });

  test("tells of a pod that cannot be understood, until it can", async () => {
    const good = podOf("good");
    const bad = { ...podOf("bad"), spec: null };
    const metadata = { resourceVersion: String(fake.cluster.revision) };
    fake.instead("list", answer("200 OK", JSON.stringify({ kind: "PodList", metadata, items: [bad, good] })));
    using follower = new Follower(fake);
    await follower.until(() => follower.told.length === 1);
    expect(follower.names).toEqual(["good"]);
    expect(follower.told[0]?.problems).toEqual(["pod test/bad: spec: null is not Object"]);
    await follower.until(() => fake.watches === 1);
    fake.sendWatchers(event("MODIFIED", podOf("bad")));
    await follower.until(() => follower.told.length === 2);
    expect(follower.names).toEqual(["bad", "good"]);
    expect(follower.told[1]?.problems).toEqual([]);
  });
});

describe("the watch", () => {
  test("tells of what comes to the node, changes there and leaves it, and of no other pod", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    for (const change of [
      () => fake.cluster.put("new", NODE),
      () => fake.cluster.put("new", NODE),
      () => fake.cluster.put("pod-3", "node-1"),
      () => fake.cluster.put("pod-150", NODE),
      () => fake.cluster.remove("new"),
    ]) {
      change();
      fake.cluster.put("pod-111", "node-1");
      fake.cluster.remove(`pod-${fake.cluster.pods.size - 1}`);
      await follower.untilRight();
    }
    expect(follower.told.map(({ pods }) => pods.length)).toEqual([110, 111, 111, 110, 111, 110]);
    expect(verbs()).toEqual(["list", "watch"]);
  });

  test("tells once of what comes at once, and not of a bookmark", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    fake.bookmark();
    // Small enough for one record of TLS.
    const [a, b, c] = ["a", "b", "c"].map((name) => ({
      metadata: { uid: name, namespace: "test", name, resourceVersion: "2000" },
      spec: { containers: [] },
    }));
    fake.sendWatchers(event("ADDED", a) + event("ADDED", b) + event("ADDED", c) + event("DELETED", b));
    await follower.until(() => follower.told.length === 2);
    expect(follower.names).toHaveLength(112);
    expect(follower.names).not.toContain("b");
  });

  test("takes events that come in pieces, wherever they are cut", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    const bytes = event("ADDED", podOf("new"));
    for (let start = 0; start < bytes.length; start += 700) {
      fake.sendWatchers(bytes.slice(start, start + 700));
      await new Promise(setImmediate);
    }
    await follower.until(() => follower.told.length === 2);
    expect(follower.names).toContain("new");
    expect(follower.errors).toEqual([]);
  });

  test("goes on from the last event when its connection drops", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    fake.cluster.put("new", NODE);
    await follower.untilRight();
    const revision = fake.cluster.revision;
    fake.cluster.put("pod-150", "node-1");
    fake.dropWatches();
    fake.cluster.put("missed", NODE);
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
    expect(last().query.get("resourceVersion")).toBe(String(revision));
  });

  test("goes on from a bookmark", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    for (let index = 0; index < 10; index++) fake.cluster.put("pod-150", "node-1");
    fake.bookmark();
    // What comes behind the bookmark shows that it came through.
    fake.sendWatchers("no event\n");
    await follower.until(() => verbs().length === 3);
    expect(last().query.get("resourceVersion")).toBe(String(fake.cluster.revision));
    fake.cluster.put("new", NODE);
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("that ends in good order is taken up at once, and is no error", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    // One that ends sooner is held for a failure.
    await Bun.sleep(1100);
    fake.endWatches();
    await follower.until(() => verbs().length === 3);
    fake.cluster.put("newer", NODE);
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
    expect(follower.errors).toEqual([]);
  });

  test("is asked for from watchSeconds up to twice as long", async () => {
    for (const [random, seconds] of [
      [0, "300"],
      [0.5, "450"],
      [1, "600"],
    ] as const) {
      using follower = new Follower(fake, { random: () => random });
      await follower.untilRight();
      expect(last().query.get("timeoutSeconds")).toBe(seconds);
      fake.reset(fake.cluster);
    }
  });
});

describe("a failure is told, and made good", () => {
  const list = recordedPods("pods-by-node.json");

  test.each<[string, Verb, RequestErrorKind, RegExp, () => void]>([
    [
      "401",
      "list",
      "unauthorized",
      /does not accept the token in \S+token: 401 Unauthorized$/,
      () => recorded("list", "badtoken"),
    ],
    ["403", "list", "forbidden", /403 pods is forbidden: User "system:/, () => recorded("list", "noperm")],
    ["500", "list", "status", /answered 500 boom$/, () => fake.instead("list", answer("500 Oh", "boom"))],
    [
      "a dropped connection",
      "list",
      "unreachable",
      /closed unexpectedly$/,
      () => fake.instead("list", brokenAnswer(list)),
    ],
    ["silence", "list", "timeout", /did not answer within 2 s$/, () => fake.instead("list", silence)],
    [
      "another kind",
      "list",
      "malformed",
      /sent what is not a PodList: kind: "Status"/,
      () => fake.instead("list", answer("200 OK", '{"kind":"Status"}')),
    ],
    [
      "410",
      "continue",
      "status",
      /answered 410 Expired$/,
      () => fake.instead("continue", answer("410 Gone", "Expired")),
    ],
    ["500", "continue", "status", /answered 500$/, () => fake.instead("continue", answer("500 Oh", ""))],
    ["401", "watch", "unauthorized", /does not accept/, () => recorded("watch", "badtoken")],
    ["403", "watch", "forbidden", /pods is forbidden/, () => recorded("watch", "noperm")],
    ["500", "watch", "status", /answered 500 boom$/, () => fake.instead("watch", answer("500 Oh", "boom"))],
    [
      "410 by its status",
      "watch",
      "status",
      /answered 410 too old$/,
      () => fake.instead("watch", answer("410 Gone", "too old")),
    ],
    [
      "410 by an event",
      "watch",
      "status",
      /ended a watch: 410 too old resource version: 1 \(1111\)$/,
      () => fake.instead("watch", recordedApiAnswer("watch-410-too-old.http")),
    ],
    ["silence", "watch", "timeout", /did not answer within 2 s$/, () => fake.instead("watch", silence)],
    [
      "an end at once",
      "watch",
      "unreachable",
      /ended a watch as soon as it began$/,
      () => fake.instead("watch", answer("200 OK", "")),
    ],
    [
      "a drop at once",
      "watch",
      "unreachable",
      /closed unexpectedly$/,
      () => fake.instead("watch", (socket) => socket.destroy()),
    ],
  ])("%s to a %s", async (_, verb, kind, message, arrange) => {
    arrange();
    fake.hasCache = false;
    using follower = new Follower(fake, { timeoutMilliseconds: 2000 });
    await follower.until(() => follower.errors.length === 1);
    // Made while the follower waits: it must not be missed.
    fake.cluster.put("new", NODE);
    await follower.untilRight();
    expect(follower.errors.map((error) => error.kind)).toEqual([kind]);
    expect(follower.errors[0]?.message).toContain("the API server (https://127.0.0.1:");
    expect(follower.errors[0]?.message).toMatch(message);
    expect(follower.told.map(({ pods }) => pods.length)[0]).toBe(verb === "watch" ? 110 : 111);
    expect(fake.requests.every(({ query }) => query.get("fieldSelector") === "spec.nodeName=node-0")).toBe(
      true,
    );
  });

  test.each<[string, RequestErrorKind, () => void]>([
    [
      "a drop within a line",
      "unreachable",
      () => {
        fake.sendWatchers('{"type":"ADDED","obj');
        fake.dropWatches();
      },
    ],
    [
      "an end within a line",
      "unreachable",
      () => {
        fake.sendWatchers('{"type":"ADDED","obj');
        fake.endWatches();
      },
    ],
    ["a line that is no JSON", "malformed", () => fake.sendWatchers('{"type":\n')],
    ["a line that is no event", "malformed", () => fake.sendWatchers('{"type":"ADDED","object":{}}\n')],
    ["an event of an unknown type", "malformed", () => fake.sendWatchers(event("MOVED", podOf("pod-1")))],
    ["a line without end", "too-large", () => fake.sendWatchers(" ".repeat(1_100_000))],
    [
      "an error event",
      "status",
      () => fake.sendWatchers(event("ERROR", { kind: "Status", code: 500, message: "no leader" })),
    ],
  ])("%s in a watch, without a new list", async (_, kind, act) => {
    using follower = new Follower(fake);
    await follower.untilRight();
    act();
    await follower.until(() => follower.errors.length === 1);
    fake.cluster.put("new", NODE);
    await follower.untilRight();
    expect(follower.errors.map((error) => error.kind)).toEqual([kind]);
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("what comes before a line that is malformed counts", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    fake.sendWatchers(`${event("ADDED", podOf("new"))}no event\n`);
    await follower.until(() => follower.errors.length === 1);
    expect(follower.names).toContain("new");
  });

  test("what is malformed again and again costs a new list", async () => {
    fake.instead("watch", openWatch("no event\n"), openWatch("no event\n"));
    using follower = new Follower(fake);
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "watch", "watch", "list", "watch"]);
  });

  test("an expired watch is listed anew, not from the cache, and what was deleted meanwhile goes", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    fake.instead("watch", answer("500 Oh", "boom"));
    fake.dropWatches();
    fake.cluster.remove("pod-7");
    fake.cluster.put("new", NODE);
    fake.cluster.forgetChanges();
    await follower.untilRight();
    expect(verbs()).toEqual(["list", "watch", "watch", "watch", "list", "continue", "watch"]);
    expect(fake.requests[4]?.query.has("resourceVersion")).toBe(false);
    expect(follower.told).toHaveLength(2);
  });

  test("a watch that is silent for longer than agreed is given up", async () => {
    fake.instead("watch", openWatch(""));
    using follower = new Follower(fake, { watchSeconds: 1 });
    await follower.untilRight();
    expect(follower.errors.map((error) => error.kind)).toEqual(["timeout"]);
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("a token that was replaced is used", async () => {
    recorded("list", "badtoken");
    using follower = new Follower(fake);
    await follower.until(() => follower.errors.length === 1);
    fake.write("token", "token-2");
    await follower.untilRight();
    fake.write("token", "token-1");
    expect(fake.requests.map(({ token }) => token)).toEqual(["token-1", "token-2", "token-2"]);
  });

  function recorded(verb: Verb, name: string): void {
    fake.instead(verb, recordedApiAnswer(`api-pods-${name}.http`));
  }
});

describe("the waits", () => {
  const failing = answer("500 Oh", "boom");

  test("grow with each failure, and start anew after a watch that held", async () => {
    fake.instead("watch", failing, failing, failing, failing, failing);
    using follower = new Follower(fake, { random: () => 1 });
    await follower.untilRight();
    expect(follower.waits).toEqual([10, 20, 40, 40, 40]);
    await Bun.sleep(100);
    fake.dropWatches();
    await follower.untilRight();
    expect(follower.waits).toEqual([10, 20, 40, 40, 40, 10]);
  });

  test("do not start anew because a list worked", async () => {
    const gone = answer("410 Gone", "");
    fake.instead("watch", gone, gone, gone);
    using follower = new Follower(fake, { random: () => 1 });
    await follower.untilRight();
    expect(follower.waits).toEqual([10, 20, 40]);
  });

  test.each([
    ["429 Too Many Requests\r\nRetry-After: 1", 1010],
    ["503 Service Unavailable\r\nRetry-After: 1", 1010],
    ["429 Too Many Requests\r\nRetry-After: 0", 10],
    ["429 Too Many Requests\r\nRetry-After: soon", 10],
    ["429 Too Many Requests", 10],
  ])("heed %j", async (status, wait) => {
    fake.instead("list", answer(status, "Too many requests, please try again later."));
    using follower = new Follower(fake, { random: () => 1 });
    const start = performance.now();
    await follower.untilRight();
    expect(follower.waits).toEqual([wait]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(wait - 5);
  });

  test("heed a server only so far", async () => {
    fake.instead("list", answer("429 Too Many Requests\r\nRetry-After: 86400", ""));
    using follower = new Follower(fake, { random: () => 1 });
    await follower.until(() => follower.waits.length === 1);
    expect(follower.waits).toEqual([300_010]);
  });
});

describe("closed", () => {
  test.each<[string, () => void, (follower: Follower) => boolean]>([
    ["within a list", () => fake.instead("list", silence), () => verbs().length === 1],
    ["within a watch", () => {}, () => fake.watches === 1],
    [
      "while it waits",
      () => fake.instead("list", answer("429 No\r\nRetry-After: 300", "")),
      ({ errors }) => errors.length === 1,
    ],
    ["by whom it tells", () => {}, ({ told, watch }) => told.length === 1 && watch.close() === undefined],
  ])("%s, it tells nothing and asks nothing any more", async (_, arrange, isThere) => {
    arrange();
    using follower = new Follower(fake);
    await follower.until(() => isThere(follower));
    const known = [follower.told.length, follower.errors.length, verbs().length];
    follower.watch.close();
    fake.cluster.put("new", NODE);
    // Another one goes through all that this one would.
    using other = new Follower(fake);
    await other.untilRight();
    fake.cluster.put("newer", NODE);
    await other.untilRight();
    expect([follower.told.length, follower.errors.length, verbs().length - 2]).toEqual(known);
  });

  test("it hangs up", async () => {
    using follower = new Follower(fake);
    await follower.untilRight();
    follower.watch.close();
    while (fake.watches > 0) await new Promise(setImmediate);
    expect(follower.errors).toEqual([]);
  });
});

describe("the recorded watch", () => {
  // Counted by hand: `watched` comes and goes, then the evicted `burstable` and `besteffort` go.
  const sizes = [...repeat(9, 11), ...repeat(8, 11), 7, 7, 6, 6, 6, 6];
  const stays =
    "guaranteed hog-noswap hog-swapping static-critical-k8snode static-plain-k8snode web-788ff8f494-fxzfm";
  const empty = JSON.stringify({ kind: "PodList", metadata: { resourceVersion: "1200" }, items: null });

  test.each([
    ["from the recorded list", "watch-pod-create-delete.jsonl", recordedPods("pods-by-node.json"), [8]],
    ["with the pods that were there", "watch-sendInitialEvents.jsonl", empty, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ])("%s makes the sets that it should", async (_, file, list, before) => {
    fake.instead("list", answer("200 OK", list));
    using follower = new Follower(fake, { nodeName: "k8snode" });
    await follower.until(() => fake.watches === 1);
    for (const line of recordedLines(file)) {
      const told = follower.told.length;
      fake.sendWatchers(line);
      if (!line.startsWith('{"type":"BOOKMARK"')) await follower.until(() => follower.told.length > told);
    }
    expect(follower.told.map(({ pods }) => pods.length)).toEqual([...before, ...sizes]);
    expect(follower.told.flatMap(({ problems }) => problems)).toEqual([]);
    expect(follower.names.join(" ")).toBe(stays);
    const hog = follower.told.at(-1)?.pods.find(({ name }) => name === "hog-noswap");
    expect(hog?.containers.map(({ id }) => id)).toEqual([
      "c74c0dbfe3b554ec03ab568d6150793ff5bcba7dce7dfac8fcc31088f56ed969",
    ]);
    fake.dropWatches();
    await follower.until(() => fake.watches === 1);
    expect(last().query.get("resourceVersion")).toBe("1350");
  });

  function repeat(size: number, times: number): number[] {
    return Array.from({ length: times }, () => size);
  }
});

describe("a node's name", () => {
  test.each(["", "a,spec.nodeName=b", "Node", "a/b", "-a"])("%j is none", (nodeName) => {
    const listener = { onPods: () => {}, onError: () => {} };
    expect(() => new PodWatch({ ...fake.options, nodeName }, listener)).toThrow(
      `${JSON.stringify(nodeName)} is not the name of a node`,
    );
    expect(fake.requests).toEqual([]);
  });
});
