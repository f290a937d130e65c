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
  ])("is not known from %j", (env) => {
    expect(() => inClusterUrl(env)).toThrow(
      "the API server is not known: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set only in a pod",
    );
  });
});

describe.each(["127.0.0.1", "::1"])("the API server at %s", (address) => {
  test("is known by the CA, by that address and by no other's certificate", async () => {
    using fake = await FakeApiServer.start(new FakeCluster(10, 5), address);
    const never = new AbortController().signal;
    const list = JSON.parse(await new ApiServer(fake.options).text(PATH, never));
    expect(list.items).toHaveLength(5);
    const other = new ApiServer({ ...fake.options, caFile: `${fake.folder}/other.pem` });
    const error = await other.text(PATH, never).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).kind).toBe("tls");
    expect((error as RequestError).message).toMatch(
      /^the API server \(https:\S+\/api\/v1\/pods\) did not show a certificate for \S+ that the CA in \S+other\.pem issued/,
    );
    expect(fake.requests).toHaveLength(1);
  });
});

test("no token goes over plain HTTP", () => {
  const limits = { timeoutMilliseconds: 1000, maxBodyBytes: 1, maxLineBytes: 1 };
  for (const baseUrl of ["http://10.96.0.1:443", "10.96.0.1:443", ""]) {
    expect(() => new ApiServer({ baseUrl, tokenFile: "/token", caFile: "/ca.crt", ...limits })).toThrow(
      `the API server's URL is https://HOST:PORT, which ${JSON.stringify(baseUrl)} is not`,
    );
  }
});
