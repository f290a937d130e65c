import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { Kubelet, type KubeletOptions } from "../../src/cluster/kubelet.ts";
import { RequestError, type RequestErrorKind } from "../../src/cluster/request-error.ts";
import { ROOT } from "../node/binary.ts";
import {
  type Answer,
  answer,
  brokenAnswer,
  endlessAnswer,
  FakeKubelet,
  KUBELET_NAME,
  recordedAnswer,
  recordedPods,
  silence,
} from "../node/fake-kubelet.ts";
import { patience } from "../patience.ts";

const fake = await FakeKubelet.start();
afterAll(() => fake[Symbol.dispose]());

const recorded = recordedPods("kubelet-pods.json");
const file = (name: string) => `${fake.folder}/${name}`;
const options: KubeletOptions = {
  host: "127.0.0.1",
  port: fake.port,
  tokenFile: file("token"),
  trust: { kind: "ca", file: file("ca.pem"), serverName: KUBELET_NAME },
  timeoutMilliseconds: patience(60),
  maxBodyBytes: 64 * 2 ** 20,
};

beforeEach(() => {
  fake.write("token", "token-1\n");
  fake.answer = answer("200 OK", recorded);
  fake.requests.length = 0;
});

async function failure(changes: Partial<KubeletOptions> = {}): Promise<RequestError> {
  const error = await new Kubelet({ ...options, ...changes }).pods().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RequestError)) throw new Error(`not a RequestError: ${error}`);
  expect(error.message).not.toContain("token-1");
  return error;
}

describe("the kubelet's pods", () => {
  test("are read with one request", async () => {
    const { pods, problems } = await new Kubelet(options).pods();
    expect(problems).toEqual([]);
    expect(pods.map((pod) => pod.name)).toContain("static-plain-k8snode");
    expect(fake.requests).toHaveLength(1);
    expect(fake.requests[0]).toStartWith("GET /pods HTTP/1.1\r\n");
    expect(fake.requests[0]?.toLowerCase()).toContain("\r\nauthorization: bearer token-1\r\n");
  });

  test("are read with the current token", async () => {
    const kubelet = new Kubelet(options);
    await kubelet.pods();
    fake.write("token", "token-2");
    await kubelet.pods();
    expect(fake.requests.map((request) => /bearer (\S+)/i.exec(request)?.[1])).toEqual([
      "token-1",
      "token-2",
    ]);
  });

  test("may be 5,000", async () => {
    const list = JSON.parse(recorded);
    const items = Array.from({ length: 5000 }, (_, index) => list.items[index % list.items.length]);
    fake.answer = answer("200 OK", JSON.stringify({ ...list, items }));
    const { pods } = await new Kubelet(options).pods();
    expect(pods).toHaveLength(5000);
  });
});

describe("a response that is not a list of pods", () => {
  test.each<[RequestErrorKind, string, Answer, RegExp]>([
    [
      "unauthorized",
      "recorded 401",
      recordedAnswer("kubelet-pods-no-token.http"),
      /^the kubelet \(https:\/\/127\.0\.0\.1:\d+\/pods\) does not accept the token in \S+\/token: 401 Unauthorized$/,
    ],
    [
      "forbidden",
      "recorded 403",
      recordedAnswer("kubelet-pods-noperm.http"),
      /requires permission to get nodes\/pods or nodes\/proxy for system:serviceaccount:test:noperm: 403 Forbidden \(/,
    ],
    [
      "forbidden",
      "403 of an older kubelet",
      answer("403 Forbidden", "Forbidden (user=wasp, verb=get, resource=nodes, subresource=proxy)"),
      /requires permission to get nodes\/proxy for wasp: 403/,
    ],
    [
      "forbidden",
      "403 without a body",
      answer("403 Forbidden", ""),
      /get nodes\/pods or nodes\/proxy for the/,
    ],
    ["status", "500", answer("500 Internal Server Error", "boom"), /answered 500 boom$/],
    ["status", "redirect", answer("302 Found\r\nLocation: http://127.0.0.1:1/", ""), /answered 302$/],
    [
      "malformed",
      "truncated JSON",
      answer("200 OK", recorded.slice(0, -100)),
      /answer \(http.*\) is not JSON: /,
    ],
    ["malformed", "nothing", answer("200 OK", ""), /is not JSON/],
    [
      "malformed",
      "another kind",
      answer("200 OK", '{"kind":"Status"}'),
      /is not a PodList: kind: "Status" is not "PodList"$/,
    ],
    [
      "unreachable",
      "connection reset",
      (socket) => socket.destroy(),
      /^cannot reach the kubelet .*closed unexpectedly$/,
    ],
    ["unreachable", "reset within the body", brokenAnswer(recorded), /closed unexpectedly$/],
  ])("%s: %s", async (kind, _, given, message) => {
    fake.answer = given;
    const error = await failure();
    expect(error.kind).toBe(kind);
    expect(error.message).toMatch(message);
  });

  test("timeout: silence", async () => {
    fake.answer = silence;
    const error = await failure({ timeoutMilliseconds: 100 });
    expect(error.kind).toBe("timeout");
    expect(error.message).toEndWith("did not answer within 0.1 s");
  });

  test("timeout: a response without end", async () => {
    fake.answer = (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"kind":');
    };
    expect((await failure({ timeoutMilliseconds: 100 })).kind).toBe("timeout");
  });

  test("malformed: a list without items is not read beyond a bound", async () => {
    fake.answer = endlessAnswer;
    const error = await failure();
    expect(error.kind).toBe("malformed");
    expect(error.message).toEndWith("is not a list: it has more than 1048576 bytes beside its items");
  });

  test("timeout: a list that never ends", async () => {
    const item = Buffer.from(`${JSON.stringify(JSON.parse(recorded).items[0])},`);
    fake.answer = (socket) => {
      socket.on("error", () => {});
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"kind":"PodList","items":[');
      const timer = setInterval(() => socket.write(item), 10);
      socket.on("close", () => clearInterval(timer));
    };
    const error = await failure({ timeoutMilliseconds: 200 });
    expect(error.kind).toBe("timeout");
    expect(error.message).toEndWith("is still sending its answer after 1.2 s");
  });

  test("of any size is read, as long as it goes on coming", async () => {
    const parts = recorded.match(/.{1,4000}/gs) ?? [];
    fake.answer = (socket) => {
      const bytes = Buffer.byteLength(recorded);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`);
      const send = () => {
        socket.write(parts.shift() ?? "");
        if (parts.length > 0) setTimeout(send, 20);
      };
      send();
    };
    const { pods } = await new Kubelet({
      ...options,
      timeoutMilliseconds: patience(0.4),
      maxBodyBytes: 1,
    }).pods();
    expect(pods).toHaveLength(8);
  });

  test("unreachable: nobody listens", async () => {
    const error = await failure({ port: 1 });
    expect(error.kind).toBe("unreachable");
    expect(error.message).toMatch(
      /^cannot reach the kubelet \(https:\/\/127\.0\.0\.1:1\/pods\): ECONNREFUSED/,
    );
  });

  test("unreachable: an IPv6 address is put in brackets", async () => {
    expect((await failure({ host: "::1", port: 1 })).message).toContain("https://[::1]:1/pods");
  });
});

describe("the token", () => {
  test.each([
    ["is missing", "no-such-file", undefined, /^cannot read the token: .*no-such-file/],
    ["is empty", "empty-token", "\n", /empty-token does not contain a token$/],
    ["is not a header value", "odd-token", "token-1\r\nX-Evil: 1", /odd-token does not contain a token$/],
  ])("%s", async (_, name, text, message) => {
    if (text !== undefined) fake.write(name, text);
    const error = await failure({ tokenFile: file(name) });
    expect(error.kind).toBe("unauthorized");
    expect(error.message).toMatch(message);
    expect(fake.requests).toEqual([]);
  });
});

describe("the kubelet's certificate", () => {
  const kubeletName = KUBELET_NAME;

  test.each<[string, KubeletOptions["trust"]]>([
    ["a CA among others in the file", { kind: "ca", file: "all.pem", serverName: kubeletName }],
    [
      "the kubelet's own certificate in the file, whatever its names",
      { kind: "serving-certificate", file: "kubelet.pem" },
    ],
    ["its own certificate before its issuer's", { kind: "serving-certificate", file: "chain.pem" }],
    ["insecure mode", { kind: "insecure" }],
  ])("is accepted: %s", async (_, trust) => {
    fake.write("all.pem", (await read("other.pem")) + (await read("ca.pem")));
    fake.write(
      "chain.pem",
      (await read("kubelet.pem")) + (await read("kubelet.key")) + (await read("ca.pem")),
    );
    const { pods } = await new Kubelet({ ...options, trust: inFolder(trust) }).pods();
    expect(pods).toHaveLength(8);
  });

  test.each<[string, KubeletOptions["trust"], RegExp]>([
    [
      "another CA",
      { kind: "ca", file: "other.pem", serverName: kubeletName },
      /did not present a certificate for k8snode that the CA in \S+other\.pem issued: unable to verify/,
    ],
    [
      "another name",
      { kind: "ca", file: "ca.pem", serverName: "k8snode2" },
      /did not present a certificate for k8snode2 that the CA in \S+ca\.pem issued: ERR_TLS_CERT_ALTNAME_INVALID$/,
    ],
    [
      "an address that is not in the certificate",
      { kind: "ca", file: "ca.pem" },
      /certificate for 127\.0\.0\.1 that/,
    ],
    [
      "the kubelet's certificate, which is not a CA",
      { kind: "ca", file: "kubelet.pem", serverName: kubeletName },
      /that the CA in \S+kubelet\.pem issued/,
    ],
    [
      "another certificate",
      { kind: "serving-certificate", file: "other.pem" },
      /did not present the certificate in \S+other\.pem/,
    ],
    [
      "the issuer's certificate in the kubelet's place",
      { kind: "serving-certificate", file: "ca.pem" },
      /did not present the certificate in \S+ca\.pem/,
    ],
    ["no file", { kind: "ca", file: "none.pem" }, /^cannot read the certificate: .*none\.pem/],
    [
      "a file without a certificate",
      { kind: "ca", file: "token" },
      /token does not contain certificates in PEM$/,
    ],
    [
      "a broken certificate",
      { kind: "ca", file: "broken.pem" },
      /broken\.pem does not contain certificates in PEM$/,
    ],
  ])("is refused: %s", async (_, trust, message) => {
    fake.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await new Kubelet({ ...options, trust: { kind: "insecure" } }).pods();
    fake.requests.length = 0;
    const error = await failure({ trust: inFolder(trust) });
    expect(error.kind).toBe("tls");
    expect(error.message).toMatch(message);
    expect(fake.requests).toEqual([]);
  });

  function inFolder(trust: KubeletOptions["trust"]): KubeletOptions["trust"] {
    return trust.kind === "insecure" ? trust : { ...trust, file: file(trust.file) };
  }

  function read(name: string): Promise<string> {
    return Bun.file(file(name)).text();
  }
});

describe("the environment", () => {
  test("cannot turn verification off", async () => {
    const trust = { kind: "ca", file: file("other.pem"), serverName: KUBELET_NAME } as const;
    const outcome = await inChild({ ...options, trust }, { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    // The plain fetch shows that the variable has an effect.
    expect(outcome).toEqual({ plain: "200", kubelet: "tls" });
  });

  test("cannot insert a proxy", async () => {
    let visits = 0;
    using proxy = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => {
        visits++;
        return new Response("no", { status: 502 });
      },
    });
    const url = `http://127.0.0.1:${proxy.port}`;
    const outcome = await inChild(options, { HTTPS_PROXY: url, https_proxy: url, ALL_PROXY: url });
    expect(outcome).toEqual({ plain: "ERR_PROXY_TUNNEL", kubelet: "8 pods" });
    expect(visits).toBe(1);
  });

  async function inChild(given: KubeletOptions, env: Record<string, string>): Promise<unknown> {
    const script = `
      import { Kubelet } from "${ROOT}/src/cluster/kubelet.ts";
      const plain = await fetch("https://127.0.0.1:${given.port}/pods").then((r) => String(r.status), (e) => e.code);
      const kubelet = await new Kubelet(${JSON.stringify(given)}).pods().then((l) => l.pods.length + " pods", (e) => e.kind);
      console.log(JSON.stringify({ plain, kubelet }));`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      env,
      stdout: "pipe",
      stderr: "pipe",
      timeout: patience(20),
    });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    const complaints = stderr.split("\n").filter((line) => line !== "" && !line.includes("NODE_TLS"));
    expect(complaints).toEqual([]);
    return JSON.parse(stdout);
  }
});
