import { describe, expect, test } from "bun:test";
import { imageName, registryUrl } from "../../manifests/sync/image-name.ts";

describe("DOCKER_PREFIX", () => {
  test.each([
    { prefix: "quay.io/you", registry: "quay.io", repository: "you/wasp", url: "https://quay.io" },
    { prefix: "quay.io:8443", registry: "quay.io:8443", repository: "wasp", url: "https://quay.io:8443" },
    {
      prefix: "registry.example/a/b_c",
      registry: "registry.example",
      repository: "a/b_c/wasp",
      url: "https://registry.example",
    },
    { prefix: "you", registry: "docker.io", repository: "you/wasp", url: "https://registry-1.docker.io" },
    {
      prefix: "docker.io/you",
      registry: "docker.io",
      repository: "you/wasp",
      url: "https://registry-1.docker.io",
    },
    { prefix: "localhost/you", registry: "localhost", repository: "you/wasp", url: "http://localhost" },
    {
      prefix: "localhost:5000",
      registry: "localhost:5000",
      repository: "wasp",
      url: "http://localhost:5000",
    },
    {
      prefix: "127.0.0.2:5000/you",
      registry: "127.0.0.2:5000",
      repository: "you/wasp",
      url: "http://127.0.0.2:5000",
    },
    { prefix: "[::1]:5000/you", registry: "[::1]:5000", repository: "you/wasp", url: "http://[::1]:5000" },
    {
      prefix: "127.example:5000/you",
      registry: "127.example:5000",
      repository: "you/wasp",
      url: "https://127.example:5000",
    },
    {
      prefix: "localhost.example/you",
      registry: "localhost.example",
      repository: "you/wasp",
      url: "https://localhost.example",
    },
  ])("$prefix is a registry and a repository", ({ prefix, registry, repository, url }) => {
    const name = imageName({ DOCKER_PREFIX: prefix });
    expect(name).toEqual({ registry, repository, tag: "latest" });
    expect(registryUrl(name, false)).toBe(url);
    expect(registryUrl(name, true)).toBe(registry === "docker.io" ? url : `http://${registry}`);
  });

  test.each([
    "quay.io/You",
    "https://quay.io/you",
    "quay.io/you/",
    "quay.io/you:v1",
    "quay.io//you",
    "you@x",
    " ",
  ])("%s is none", (prefix) => {
    expect(() => imageName({ DOCKER_PREFIX: prefix })).toThrow(`DOCKER_PREFIX=${prefix}: must be a registry`);
  });

  test("has to be given", () => {
    for (const env of [{}, { DOCKER_PREFIX: "" }])
      expect(() => imageName(env)).toThrow("DOCKER_PREFIX is not set: must be the registry and path");
  });
});

test("DOCKER_TAG is a tag", () => {
  const tagged = (tag: string) => imageName({ DOCKER_PREFIX: "quay.io/you", DOCKER_TAG: tag });
  expect(tagged("v1.2_3-x").tag).toBe("v1.2_3-x");
  expect(tagged("").tag).toBe("latest");
  for (const tag of ["-v1", "v1/2", "v 1", "a".repeat(129)])
    expect(() => tagged(tag)).toThrow(`DOCKER_TAG=${tag}: must be at most 128 letters`);
});
