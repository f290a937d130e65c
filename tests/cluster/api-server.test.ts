import { describe, expect, test } from "bun:test";
import { ApiServer, inClusterUrl } from "../../src/cluster/api-server.ts";
import { RequestError } from "../../src/cluster/request-error.ts";
import { FakeApiServer } from "../node/fake-api-server.ts";
import { FakeCluster } from "../node/fake-cluster.ts";

const PATH = "/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-0&limit=5";

describe("in a pod, the API server", () => {
  test.each([
    ["10.96.0.1", "443", "https://10.96.0.1:443"],
    ["fd00:10:96::1", "6443", "https://[fd00:10:96::1]:6443"],
    ["api.example", "443", "https://api.example:443"],
  ])("%s, %s is %s", (host, port, baseUrl) => {
    const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
    expect(inClusterUrl(env)).toBe(baseUrl);
  });

  test.each([
    {},
    { KUBERNETES_SERVICE_HOST: "10.96.0.1" },
    { KUBERNETES_SERVICE_HOST: "", KUBERNETES_SERVICE_PORT: "443" },
  ])("is unknown from %j", (env) => {
    expect(() => inClusterUrl(env)).toThrow(
      "the API server's address is unknown: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set only in a pod",
    );
  });
});

describe.each(["127.0.0.1", "::1"])("the API server at %s", (address) => {
  test("is accepted by its CA and its address, and refused by another CA", async () => {
    using fake = await FakeApiServer.start(new FakeCluster(10, 5), address);
    const never = new AbortController().signal;
    const list = JSON.parse(await new ApiServer(fake.options).text(PATH, never));
    expect(list.items).toHaveLength(5);
    const other = new ApiServer({ ...fake.options, caFile: `${fake.folder}/other.pem` });
    const error = await other.text(PATH, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).kind).toBe("tls");
    expect((error as RequestError).message).toMatch(
      /^the API server \(https:\S+\/api\/v1\/pods\) did not present a certificate for \S+ that the CA in \S+other\.pem issued/,
    );
    expect(fake.requests).toHaveLength(1);
  });
});

test("no token is sent over plain HTTP", () => {
  const limits = { timeoutMilliseconds: 1000, maxBodyBytes: 1, maxLineBytes: 1 };
  for (const baseUrl of ["http://10.96.0.1:443", "10.96.0.1:443", ""]) {
    expect(() => new ApiServer({ baseUrl, tokenFile: "/token", caFile: "/ca.crt", ...limits })).toThrow(
      `the API server's URL must be https://HOST:PORT, not ${JSON.stringify(baseUrl)}`,
    );
  }
});
