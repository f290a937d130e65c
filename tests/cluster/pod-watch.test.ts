import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { PodWatch } from "../../src/cluster/pod-watch.ts";
import type { RequestErrorKind } from "../../src/cluster/request-error.ts";
import { openWatch } from "../node/chunks.ts";
import {
  type ApiRequest,
  FakeApiServer,
  recordedApiAnswer,
  recordedLines,
  type Verb,
} from "../node/fake-api-server.ts";
import { FakeCluster, podJson } from "../node/fake-cluster.ts";
import { answer, brokenAnswer, recordedPods, silence } from "../node/fake-kubelet.ts";
import { patience } from "../patience.ts";
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
  test("requests the node's pods from the API server's cache, and is reported as a whole", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    expect(follower.lists.map(({ pods }) => pods.length)).toEqual([110]);
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

  test("comes in pages, and is reported after the last one", async () => {
    fake.hasCache = false;
    using follower = new Follower(fake, { pageSize: 40 });
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "continue", "continue", "watch"]);
    expect(follower.lists.map(({ pods }) => pods.length)).toEqual([110]);
    expect(fake.requests.map(({ query }) => query.get("limit"))).toEqual(["40", "40", "40", null]);
    expect(fake.requests.map(({ query }) => query.has("resourceVersion"))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test("of a node without pods is reported too", async () => {
    using follower = new Follower(fake, { nodeName: "node-9" });
    await follower.until(() => fake.watches === 1);
    expect(follower.lists).toEqual([{ pods: [], problems: [] }]);
  });

  test("reports a pod that cannot be decoded, until it can", async () => {
    const good = podOf("good");
    const { metadata: named } = podOf("bad");
    const bad = { ...podOf("bad"), metadata: { ...named, namespace: 5 } };
    const metadata = { resourceVersion: String(fake.cluster.revision) };
    fake.instead("list", answer("200 OK", JSON.stringify({ kind: "PodList", metadata, items: [bad, good] })));
    using follower = new Follower(fake);
    await follower.until(() => follower.lists.length === 1);
    expect(follower.names).toEqual(["good"]);
    expect(follower.lists[0]?.problems).toEqual(["pod 0 of the list: metadata.namespace: 5 is not string"]);
    await follower.until(() => fake.watches === 1);
    fake.sendWatchers(event("MODIFIED", podOf("bad")));
    await follower.until(() => follower.lists.length === 2);
    expect(follower.names).toEqual(["bad", "good"]);
    expect(follower.lists[1]?.problems).toEqual([]);
  });
});

describe("a pod of any size", () => {
  const padded = (name: string, bytes: number) => {
    const { metadata, ...others } = podOf(name);
    return { metadata, ...others, padding: "x".repeat(bytes) };
  };

  test("is read from a list, or left out by its name, and hides no other", async () => {
    const metadata = { resourceVersion: String(fake.cluster.revision) };
    const items = [
      padded("a", 9e6),
      padded("b", 20e6),
      ...Array.from({ length: 5 }, () => padded("c", 15e6)),
    ];
    fake.instead("list", answer("200 OK", JSON.stringify({ kind: "PodList", metadata, items })));
    using follower = new Follower(fake);
    await follower.until(() => follower.lists.length === 1);
    expect(follower.names).toEqual(["a", "c"]);
    expect(follower.lists[0]?.problems).toEqual([
      "pod test/b is left out, and its known containers keep their limits: its text exceeds 16777216 bytes",
    ]);
    await follower.until(() => fake.watches === 1);
    fake.sendWatchers(event("MODIFIED", podOf("b")));
    await follower.until(() => follower.lists.length === 2);
    expect(follower.names).toEqual(["a", "b", "c"]);
    expect(follower.lists[1]?.problems).toEqual([]);
  });
});

describe("the watch", () => {
  test("reports pods that are created on, changed on and removed from the node, and no other pod", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
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
      await follower.untilCurrent();
    }
    expect(follower.lists.map(({ pods }) => pods.length)).toEqual([110, 111, 111, 110, 111, 110]);
    expect(verbs()).toEqual(["list", "watch"]);
  });

  test("reports events that arrive together once, and bookmarks not at all", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    fake.bookmark();
    // Small enough for one TLS record.
    const [a, b, c] = ["a", "b", "c"].map((name) => ({
      metadata: { uid: name, namespace: "test", name, resourceVersion: "2000" },
      spec: { containers: [] },
    }));
    fake.sendWatchers(event("ADDED", a) + event("ADDED", b) + event("ADDED", c) + event("DELETED", b));
    await follower.until(() => follower.lists.length === 2);
    expect(follower.names).toHaveLength(112);
    expect(follower.names).not.toContain("b");
  });

  test("accepts events that arrive in pieces, wherever they are cut", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    const bytes = event("ADDED", podOf("new"));
    for (let start = 0; start < bytes.length; start += 700) {
      fake.sendWatchers(bytes.slice(start, start + 700));
      await new Promise(setImmediate);
    }
    await follower.until(() => follower.lists.length === 2);
    expect(follower.names).toContain("new");
    expect(follower.errors).toEqual([]);
  });

  test("resumes from the last event after its connection was lost", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    fake.cluster.put("new", NODE);
    await follower.untilCurrent();
    const revision = fake.cluster.revision;
    fake.cluster.put("pod-150", "node-1");
    fake.dropWatches();
    fake.cluster.put("missed", NODE);
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
    expect(last().query.get("resourceVersion")).toBe(String(revision));
  });

  test("resumes from a bookmark", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    for (let index = 0; index < 10; index++) fake.cluster.put("pod-150", "node-1");
    fake.bookmark();
    // The malformed line after the bookmark ends the watch.
    fake.sendWatchers("no event\n");
    await follower.until(() => verbs().length === 3);
    expect(last().query.get("resourceVersion")).toBe(String(fake.cluster.revision));
    fake.cluster.put("new", NODE);
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("that the server ends is restarted at once, and is no error", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    // A watch that ends sooner counts as a failure.
    await Bun.sleep(1100);
    fake.endWatches();
    await follower.until(() => verbs().length === 3);
    fake.cluster.put("newer", NODE);
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "watch", "watch"]);
    expect(follower.errors).toEqual([]);
  });

  test("is requested for watchSeconds up to twice that time", async () => {
    for (const [random, seconds] of [
      [0, "300"],
      [0.5, "450"],
      [1, "600"],
    ] as const) {
      using follower = new Follower(fake, { random: () => random });
      await follower.untilCurrent();
      expect(last().query.get("timeoutSeconds")).toBe(seconds);
      fake.reset(fake.cluster);
    }
  });
});

describe("a failure is reported and recovered from", () => {
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
      "a lost connection",
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
      /sent a malformed response: not a PodList: kind: "Status"/,
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
      /ended a watch as soon as it had begun$/,
      () => fake.instead("watch", answer("200 OK", "")),
    ],
    [
      "a connection lost at once",
      "watch",
      "unreachable",
      /closed unexpectedly$/,
      () => fake.instead("watch", (socket) => socket.destroy()),
    ],
  ])("%s to a %s", async (_, verb, kind, message, arrange) => {
    arrange();
    fake.hasCache = false;
    using follower = new Follower(fake, { timeoutMilliseconds: kind === "timeout" ? 2000 : patience(10) });
    await follower.until(() => follower.errors.length === 1);
    // Created while the follower waits: it must not be missed.
    fake.cluster.put("new", NODE);
    await follower.untilCurrent();
    expect(follower.errors.map((error) => error.kind)).toEqual([kind]);
    expect(follower.errors[0]?.message).toContain("the API server (https://127.0.0.1:");
    expect(follower.errors[0]?.message).toMatch(message);
    expect(follower.lists.map(({ pods }) => pods.length)[0]).toBe(verb === "watch" ? 110 : 111);
    expect(fake.requests.every(({ query }) => query.get("fieldSelector") === "spec.nodeName=node-0")).toBe(
      true,
    );
  });

  test.each<[string, RequestErrorKind, () => void]>([
    [
      "a lost connection within a line",
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
    ["a line that is not JSON", "malformed", () => fake.sendWatchers('{"type":\n')],
    ["a line that is not an event", "malformed", () => fake.sendWatchers('{"type":"ADDED","object":{}}\n')],
    ["an event of an unknown type", "malformed", () => fake.sendWatchers(event("MOVED", podOf("pod-1")))],
    ["a line without end", "too-large", () => fake.sendWatchers(" ".repeat(1_100_000))],
    [
      "an error event",
      "status",
      () => fake.sendWatchers(event("ERROR", { kind: "Status", code: 500, message: "no leader" })),
    ],
  ])("%s in a watch, without a new list", async (_, kind, act) => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    act();
    await follower.until(() => follower.errors.length === 1);
    fake.cluster.put("new", NODE);
    await follower.untilCurrent();
    expect(follower.errors.map((error) => error.kind)).toEqual([kind]);
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("events before a malformed line are applied", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    fake.sendWatchers(`${event("ADDED", podOf("new"))}no event\n`);
    await follower.until(() => follower.errors.length === 1);
    expect(follower.names).toContain("new");
  });

  test("a second malformed line after the same version causes a new list", async () => {
    fake.instead("watch", openWatch("no event\n"), openWatch("no event\n"));
    using follower = new Follower(fake);
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "watch", "watch", "list", "watch"]);
  });

  test("an expired watch causes a new list, not from the cache, without the pods deleted meanwhile", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    fake.instead("watch", answer("500 Oh", "boom"));
    fake.dropWatches();
    fake.cluster.remove("pod-7");
    fake.cluster.put("new", NODE);
    fake.cluster.forgetChanges();
    await follower.untilCurrent();
    expect(verbs()).toEqual(["list", "watch", "watch", "watch", "list", "continue", "watch"]);
    expect(fake.requests[4]?.query.has("resourceVersion")).toBe(false);
    expect(follower.lists).toHaveLength(2);
  });

  test("a watch that is silent for longer than requested is aborted", async () => {
    fake.instead("watch", openWatch(""));
    using follower = new Follower(fake, { watchSeconds: 1 });
    await follower.untilCurrent();
    expect(follower.errors.map((error) => error.kind)).toEqual(["timeout"]);
    expect(verbs()).toEqual(["list", "watch", "watch"]);
  });

  test("a replaced token is used", async () => {
    recorded("list", "badtoken");
    using follower = new Follower(fake);
    await follower.until(() => follower.errors.length === 1);
    fake.write("token", "token-2");
    await follower.untilCurrent();
    fake.write("token", "token-1");
    expect(fake.requests.map(({ token }) => token)).toEqual(["token-1", "token-2", "token-2"]);
  });

  function recorded(verb: Verb, name: string): void {
    fake.instead(verb, recordedApiAnswer(`api-pods-${name}.http`));
  }
});

describe("the waits", () => {
  const failing = answer("500 Oh", "boom");

  test("grow with each failure, and are reset after a watch that lasted", async () => {
    fake.instead("watch", failing, failing, failing, failing, failing);
    using follower = new Follower(fake, { random: () => 1 });
    await follower.untilCurrent();
    expect(follower.waits).toEqual([10, 20, 40, 40, 40]);
    await Bun.sleep(100);
    fake.dropWatches();
    await follower.untilCurrent();
    expect(follower.waits).toEqual([10, 20, 40, 40, 40, 10]);
  });

  test("are not reset by a successful list", async () => {
    const gone = answer("410 Gone", "");
    fake.instead("watch", gone, gone, gone);
    using follower = new Follower(fake, { random: () => 1 });
    await follower.untilCurrent();
    expect(follower.waits).toEqual([10, 20, 40]);
  });

  test.each([
    ["429 Too Many Requests\r\nRetry-After: 1", 1010],
    ["503 Service Unavailable\r\nRetry-After: 1", 1010],
    ["429 Too Many Requests\r\nRetry-After: 0", 10],
    ["429 Too Many Requests\r\nRetry-After: soon", 10],
    ["429 Too Many Requests", 10],
  ])("respect %j", async (status, wait) => {
    fake.instead("list", answer(status, "Too many requests, please try again later."));
    using follower = new Follower(fake, { random: () => 1 });
    const start = performance.now();
    await follower.untilCurrent();
    expect(follower.waits).toEqual([wait]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(wait - 5);
  });

  test("respect a Retry-After only up to a limit", async () => {
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
    ["by its listener", () => {}, ({ lists, watch }) => lists.length === 1 && watch.close() === undefined],
  ])("%s, it reports nothing and requests nothing any more", async (_, arrange, isReached) => {
    arrange();
    using follower = new Follower(fake);
    await follower.until(() => isReached(follower));
    const known = [follower.lists.length, follower.errors.length, verbs().length];
    follower.watch.close();
    fake.cluster.put("new", NODE);
    // Another follower gets what this one would have got.
    using other = new Follower(fake);
    await other.untilCurrent();
    fake.cluster.put("newer", NODE);
    await other.untilCurrent();
    expect([follower.lists.length, follower.errors.length, verbs().length - 2]).toEqual(known);
  });

  test("it closes its connection", async () => {
    using follower = new Follower(fake);
    await follower.untilCurrent();
    follower.watch.close();
    while (fake.watches > 0) await new Promise(setImmediate);
    expect(follower.errors).toEqual([]);
  });
});

describe("the recorded watch", () => {
  // Counted by hand: `watched` is created and deleted, then the evicted `burstable` and `besteffort` are deleted.
  const sizes = [...repeat(9, 11), ...repeat(8, 11), 7, 7, 6, 6, 6, 6];
  const stays =
    "guaranteed hog-noswap hog-swapping static-critical-k8snode static-plain-k8snode web-788ff8f494-fxzfm";
  const empty = JSON.stringify({ kind: "PodList", metadata: { resourceVersion: "1200" }, items: null });

  test.each([
    ["from the recorded list", "watch-pod-create-delete.jsonl", recordedPods("pods-by-node.json"), [8]],
    ["with the pods that were there", "watch-sendInitialEvents.jsonl", empty, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ])("%s yields the expected sets", async (_, file, list, before) => {
    fake.instead("list", answer("200 OK", list));
    using follower = new Follower(fake, { nodeName: "k8snode" });
    await follower.until(() => fake.watches === 1);
    for (const line of recordedLines(file)) {
      const count = follower.lists.length;
      fake.sendWatchers(line);
      if (!line.startsWith('{"type":"BOOKMARK"')) await follower.until(() => follower.lists.length > count);
    }
    expect(follower.lists.map(({ pods }) => pods.length)).toEqual([...before, ...sizes]);
    expect(follower.lists.flatMap(({ problems }) => problems)).toEqual([]);
    expect(follower.names.join(" ")).toBe(stays);
    const hog = follower.lists.at(-1)?.pods.find(({ name }) => name === "hog-noswap");
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

describe("the node name", () => {
  test.each(["", "a,spec.nodeName=b", "Node", "a/b", "-a"])("%j is refused", (nodeName) => {
    const listener = { onPods: () => {}, onError: () => {} };
    expect(() => new PodWatch({ ...fake.options, nodeName }, listener)).toThrow(
      `${JSON.stringify(nodeName)} is not the name of a node`,
    );
    expect(fake.requests).toEqual([]);
  });
});
