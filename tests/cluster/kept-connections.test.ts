import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { ApiServer } from "../../src/cluster/api-server.ts";
import { KeptCredentials } from "../../src/cluster/credentials.ts";
import { RequestError } from "../../src/cluster/request-error.ts";
import { failure, hangUp, tooBusy } from "../node/api-answers.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";

const PATH = "/version";
const LINE = `GET ${PATH}`;
const NEVER = new AbortController().signal;

const fake = await FakeApiServer.start(new FakeCluster(0, 1));
afterAll(() => fake[Symbol.dispose]());
beforeEach(() => {
  fake.reset(new FakeCluster(0, 1));
  fake.write("token", "token-1");
});

const keeping = () => new ApiServer({ ...fake.options, keepsConnections: true });

describe("a client that keeps connections", () => {
  test("sends one request after the other over the same connection, also after an error", async () => {
    const server = keeping();
    await server.text(PATH, NEVER);
    const before = fake.connections;
    fake.objects.instead(LINE, failure(500, "InternalError", "etcd"));
    await expect(server.text(PATH, NEVER)).rejects.toThrow("answered 500 etcd");
    for (let request = 0; request < 5; request++) await server.text(PATH, NEVER);
    expect(fake.connections).toBe(before);
    expect(fake.objects.requests).toHaveLength(7);
  });

  test("keeps as many as it needed at the same time", async () => {
    const server = keeping();
    const three = () => Promise.all([1, 2, 3].map(() => server.text(PATH, NEVER)));
    fake.objects.delayMilliseconds = 200;
    await three();
    const before = fake.connections;
    await three();
    expect(fake.connections).toBe(before);
  });

  test.each([
    ["lost", hangUp, "cannot reach the API server"],
    ["closed after an answer", tooBusy, "answered 429"],
  ])("makes another one after it was %s, and repeats no write by itself", async (_, answer, message) => {
    // Connections are kept for the whole process: this server has none of other tests.
    using own = await FakeApiServer.start(new FakeCluster(0, 1));
    const server = new ApiServer({ ...own.options, keepsConnections: true });
    await server.text(PATH, NEVER);
    const write = { method: "POST", path: PATH, body: {} } as const;
    own.objects.instead(`POST ${PATH}`, answer);
    await expect(server.write(write, NEVER)).rejects.toThrow(message);
    await server.text(PATH, NEVER);
    expect(own.connections).toBe(2);
    expect(own.objects.requests.map(({ line }) => line)).toEqual([LINE, `POST ${PATH}`, LINE]);
  });

  test("does not lend them to a client with another CA", async () => {
    await keeping().text(PATH, NEVER);
    const other = { ...fake.options, caFile: `${fake.folder}/other.pem`, keepsConnections: true };
    const error = await new ApiServer(other).text(PATH, NEVER).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).kind).toBe("tls");
    expect(fake.objects.requests).toHaveLength(1);
  });

  test("reads neither token nor CA again, until the API server refuses them", async () => {
    const caFile = `${fake.folder}/kept-ca.pem`;
    copyFileSync(`${fake.folder}/ca.pem`, caFile);
    const server = new ApiServer({ ...fake.options, caFile, keepsConnections: true });
    await server.text(PATH, NEVER);
    fake.write("kept-ca.pem", "");
    fake.write("token", "");
    await server.text(PATH, NEVER);
    fake.objects.instead(LINE, failure(401, "Unauthorized", "no"));
    await expect(server.text(PATH, NEVER)).rejects.toThrow("does not accept the token");
    await expect(server.text(PATH, NEVER)).rejects.toThrow("does not contain a token");
  });
});

test("without being asked to, a client makes a connection for each request", async () => {
  const server = new ApiServer(fake.options);
  for (let request = 0; request < 3; request++) await server.text(PATH, NEVER);
  expect(fake.connections).toBe(3);
});

describe("a kept token", () => {
  const nowSeconds = 1_800_000_000;

  /** Credentials with a clock that the test sets. */
  function keptAt() {
    const clock = { seconds: 0 };
    const trust = { kind: "ca", file: `${fake.folder}/ca.pem` } as const;
    const kept = new KeptCredentials(
      { title: "the API server", tokenFile: `${fake.folder}/token`, trust },
      {
        wallMilliseconds: () => (nowSeconds + clock.seconds) * 1000,
        monotonicMilliseconds: () => clock.seconds * 1000,
      },
    );
    const tokenAt = async (seconds: number) => {
      clock.seconds = seconds;
      return (await kept.current()).token;
    };
    return { tokenAt };
  }

  const tokenUntil = (seconds: number) =>
    ["{}", JSON.stringify({ exp: nowSeconds + seconds }), "signature"]
      .map((part) => Buffer.from(part).toString("base64url"))
      .join(".");

  test("is read again before it expires", async () => {
    const { tokenAt } = keptAt();
    const first = tokenUntil(40);
    fake.write("token", first);
    expect(await tokenAt(0)).toBe(first);
    fake.write("token", tokenUntil(3600));
    expect(await tokenAt(29)).toBe(first);
    expect(await tokenAt(31)).toBe(tokenUntil(3600));
  });

  test.each([["token-1"], [tokenUntil(3600)], ["a.b.c"]])(
    "is read again each minute beside a request: %s",
    async (first) => {
      const { tokenAt } = keptAt();
      fake.write("token", first);
      expect(await tokenAt(0)).toBe(first);
      fake.write("token", "token-2");
      expect(await tokenAt(59)).toBe(first);
      expect(await tokenAt(60)).toBe(first);
      while ((await tokenAt(61)) === first) await Bun.sleep(5);
      expect(await tokenAt(61)).toBe("token-2");
    },
  );

  test("is used further where the file cannot be read", async () => {
    const { tokenAt } = keptAt();
    fake.write("token", "token-1");
    await tokenAt(0);
    fake.write("token", "");
    for (const seconds of [60, 61, 200]) expect(await tokenAt(seconds)).toBe("token-1");
  });
});
