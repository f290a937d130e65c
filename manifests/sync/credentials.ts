import { homedir } from "node:os";
import { $ } from "bun";
import type { ImageName } from "./image-name.ts";

/** What a registry knows a user by. */
export interface Credential {
  /** The user's name; not used with an identity token. */
  readonly user: string;
  readonly secret: string;
  /** Whether the secret is a token that an authorization server takes in a password's place. */
  readonly isIdentityToken: boolean;
  /** Where it was found: a file, or a program that keeps it. */
  readonly source: string;
}

interface AuthFile {
  readonly auths?: Record<string, { auth?: string; identitytoken?: string }>;
  readonly credHelpers?: Record<string, string>;
  readonly credsStore?: string;
}

/** The variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the files in which podman, skopeo and docker keep credentials, those that come first before others. */
export function authFiles(env: Environment): string[] {
  const { REGISTRY_AUTH_FILE, XDG_RUNTIME_DIR, XDG_CONFIG_HOME, DOCKER_CONFIG } = env;
  const home = env["HOME"] ?? homedir();
  if (REGISTRY_AUTH_FILE) return [REGISTRY_AUTH_FILE];
  return [
    ...(XDG_RUNTIME_DIR ? [`${XDG_RUNTIME_DIR}/containers/auth.json`] : []),
    `${XDG_CONFIG_HOME || `${home}/.config`}/containers/auth.json`,
    `${DOCKER_CONFIG || `${home}/.docker`}/config.json`,
  ];
}

/** Returns what `podman login` or `docker login` has kept for an image's registry; throws when it cannot be read. */
export async function findCredential(image: ImageName, env: Environment): Promise<Credential | undefined> {
  for (const path of authFiles(env)) {
    if (!(await Bun.file(path).exists())) continue;
    const found = await credentialIn(path, image, env);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function credentialIn(
  path: string,
  image: ImageName,
  env: Environment,
): Promise<Credential | undefined> {
  const { auths = {}, credHelpers = {}, credsStore } = await readAuthFile(path);
  const keys = keysOf(image);
  for (const key of keys) {
    const helper = credHelpers[key] ?? (key === keys.at(-1) ? credsStore : undefined);
    const kept = helper === undefined ? undefined : await askHelper(helper, key, env);
    if (kept !== undefined) return kept;
    const { auth, identitytoken } = auths[key] ?? {};
    if (identitytoken) return { user: "", secret: identitytoken, isIdentityToken: true, source: path };
    if (!auth) continue;
    const [user = "", ...secret] = Buffer.from(auth, "base64").toString().split(":");
    return { user, secret: secret.join(":"), isIdentityToken: false, source: path };
  }
  return undefined;
}

async function readAuthFile(path: string): Promise<AuthFile> {
  try {
    return await Bun.file(path).json();
  } catch (error) {
    throw new Error(`${path}: cannot be read as JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** What an image's credentials may be kept by: its path, each one above it as podman allows, and at the end its registry. */
function keysOf({ registry, repository }: ImageName): string[] {
  const path = repository.split("/");
  const above = path.map((_, index) => [registry, ...path.slice(0, path.length - index)].join("/"));
  const hub = registry === "docker.io" ? ["https://index.docker.io/v1/"] : [];
  return [...above, registry, ...hub];
}

/** Asks one of docker's programs for credentials, which answers with an error when it keeps none. */
async function askHelper(name: string, server: string, env: Environment): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  if (Bun.which(program, { PATH: env["PATH"] ?? "" }) === null)
    throw new Error(`${program} keeps the credentials of ${server}, and is not in PATH`);
  const run = await $`${program} get < ${Buffer.from(server)}`
    .env({ ...env })
    .nothrow()
    .quiet();
  if (run.exitCode !== 0) {
    const said = `${run.stdout}${run.stderr}`.trim();
    if (/credentials not found/i.test(said)) return undefined;
    throw new Error(`${program} does not tell the credentials of ${server}: ${said}`);
  }
  const { Username, Secret } = run.json();
  return { user: Username, secret: Secret, isIdentityToken: Username === "<token>", source: program };
}
