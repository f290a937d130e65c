import { afterAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { findCredential } from "../../manifests/sync/credentials.ts";
import { imageName } from "../../manifests/sync/image-name.ts";

const folder = await mkdtemp(`${tmpdir()}/wasp-credentials-`);
afterAll(() => rm(folder, { recursive: true }));

const entry = (user: string) => ({ auth: btoa(`${user}:secret`) });

/** Returns who pushes to a prefix by these files, which are named by where they are in the home folder. */
async function userOf(prefix: string, files: Record<string, object | string>): Promise<string | undefined> {
  const home = await mkdtemp(`${folder}/`);
  for (const [name, content] of Object.entries(files)) {
    await Bun.write(`${home}/${name}`, typeof content === "string" ? content : JSON.stringify(content));
    if (name.startsWith("bin/")) await chmod(`${home}/${name}`, 0o755);
  }
  const env = { HOME: home, XDG_RUNTIME_DIR: `${home}/run`, PATH: `${home}/bin:/usr/bin:/bin` };
  return (await findCredential(imageName({ DOCKER_PREFIX: prefix }), env))?.user;
}

const docker = ".docker/config.json";
const podman = "run/containers/auth.json";
const helper = (script: string) => `#!/bin/sh\n${script}\n`;
const keeps = helper(`echo '{"Username": "kept", "Secret": "secret"}'`);
const keepsNone = helper("echo credentials not found in native keychain; exit 1");

describe("who pushes", () => {
  test.each([
    { by: "docker's file", files: { [docker]: { auths: { "quay.io": entry("you") } } }, user: "you" },
    { by: "podman's file", files: { [podman]: { auths: { "quay.io": entry("you") } } }, user: "you" },
    {
      by: "podman's lasting file",
      files: { ".config/containers/auth.json": { auths: { "quay.io": entry("you") } } },
      user: "you",
    },
    {
      by: "podman's before docker's",
      files: {
        [docker]: { auths: { "quay.io": entry("a") } },
        [podman]: { auths: { "quay.io": entry("b") } },
      },
      user: "b",
    },
    {
      by: "docker's where podman's does not know the registry",
      files: {
        [docker]: { auths: { "quay.io": entry("a") } },
        [podman]: { auths: { "ghcr.io": entry("b") } },
      },
      user: "a",
    },
    {
      by: "the path before the registry",
      files: { [podman]: { auths: { "quay.io": entry("a"), "quay.io/team": entry("b") } } },
      prefix: "quay.io/team/sub",
      user: "b",
    },
    {
      by: "no other path",
      files: { [podman]: { auths: { "quay.io": entry("a"), "quay.io/te": entry("b") } } },
      prefix: "quay.io/team",
      user: "a",
    },
    {
      by: "Docker Hub's old address",
      files: { [docker]: { auths: { "https://index.docker.io/v1/": entry("you") } } },
      prefix: "you",
      user: "you",
    },
    {
      by: "a program for the registry",
      files: { [docker]: { credHelpers: { "quay.io": "safe" } }, "bin/docker-credential-safe": keeps },
      user: "kept",
    },
    {
      by: "a program for all registries",
      files: {
        [docker]: { credsStore: "safe" },
        "bin/docker-credential-safe": keeps,
      },
      user: "kept",
    },
    {
      by: "the file, where the program keeps nothing",
      files: {
        [docker]: { auths: { "quay.io": entry("you") }, credsStore: "safe" },
        "bin/docker-credential-safe": keepsNone,
      },
      user: "you",
    },
    {
      by: "a program that keeps it by Docker Hub's old address",
      files: {
        [docker]: { auths: { "https://index.docker.io/v1/": {} }, credsStore: "safe" },
        "bin/docker-credential-safe": helper(
          `[ "$(cat)" = https://index.docker.io/v1/ ] && echo '{"Username": "kept", "Secret": "secret"}'`,
        ),
      },
      prefix: "you",
      user: "kept",
    },
    { by: "nobody", files: {}, user: undefined },
    {
      by: "nobody where it is another registry",
      files: { [docker]: { auths: { "ghcr.io": entry("you") } } },
      user: undefined,
    },
  ])("is told by $by", async ({ files, user, prefix = "quay.io/you" }) => {
    expect(await userOf(prefix, files as Record<string, object | string>)).toBe(user as string);
  });

  test("is what a file says that REGISTRY_AUTH_FILE names, and no other", async () => {
    const file = `${folder}/auth.json`;
    await Bun.write(file, JSON.stringify({ auths: { "quay.io": { auth: btoa("you:a:b") } } }));
    const found = await findCredential(imageName({ DOCKER_PREFIX: "quay.io" }), { REGISTRY_AUTH_FILE: file });
    expect(found).toEqual({ user: "you", secret: "a:b", isIdentityToken: false, source: file });
  });

  test.each([
    { files: { [docker]: "{" }, complaint: /\.docker\/config\.json: is not readable as JSON/ },
    {
      files: { [docker]: { credHelpers: { "quay.io": "gone" } } },
      complaint: /^docker-credential-gone stores the credentials for quay\.io, but is not in PATH$/,
    },
    {
      files: {
        [docker]: { credHelpers: { "quay.io": "shut" } },
        "bin/docker-credential-shut": helper("echo it is locked >&2; exit 1"),
      },
      complaint: /^docker-credential-shut failed to return the credentials for quay\.io: it is locked$/,
    },
  ])("is not guessed: $complaint", async ({ files, complaint }) => {
    await expect(userOf("quay.io/you", files as Record<string, object | string>)).rejects.toThrow(complaint);
  });
});
