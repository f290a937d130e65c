import { homedir } from "node:os";
import { $ } from "bun";
import type { ImageName } from "./image-name.ts";

/** Credentials of a user of a registry. */
export interface Credential {
  /** User name; not used with an identity token. */
  readonly user: string;
  readonly secret: string;
  /** True if the secret is a refresh token for the token server, not a password. */
  readonly isIdentityToken: boolean;
  /** Source of the credentials: a file, or a credential helper. */
  readonly source: string;
}

interface AuthFile {
  readonly auths?: Record<string, { auth?: string; identitytoken?: string }>;
  readonly credHelpers?: Record<string, string>;
  readonly credsStore?: string;
}

/** Environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Returns the files in which podman, skopeo and docker store credentials, in the order of precedence. */
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

/** Returns the credentials that `podman login` or `docker login` stored for an image's registry. Throws if they cannot be read. */
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
    const stored = helper === undefined ? undefined : await askHelper(helper, key, env);
    if (stored !== undefined) return stored;
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
    throw new Error(`${path}: is not readable as JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** Returns the keys under which credentials may be stored: the image's path, each parent path (podman only), the registry. */
function keysOf({ registry, repository }: ImageName): string[] {
  const path = repository.split("/");
  const paths = path.map((_, index) => [registry, ...path.slice(0, path.length - index)].join("/"));
  const hub = registry === "docker.io" ? ["https://index.docker.io/v1/"] : [];
  return [...paths, registry, ...hub];
}

/** Returns the credentials that one of docker's credential helpers stores; a helper reports missing credentials as an error. */
async function askHelper(name: string, server: string, env: Environment): Promise<Credential | undefined> {
  const program = `docker-credential-${name}`;
  if (Bun.which(program, { PATH: env["PATH"] ?? "" }) === null)
    throw new Error(`${program} stores the credentials for ${server}, but is not in PATH`);
  const run = await $`${program} get < ${Buffer.from(server)}`
    .env({ ...env })
    .nothrow()
    .quiet();
  if (run.exitCode !== 0) {
    const message = `${run.stdout}${run.stderr}`.trim();
    if (/credentials not found/i.test(message)) return undefined;
    throw new Error(`${program} failed to return the credentials for ${server}: ${message}`);
  }
  const { Username, Secret } = run.json();
  return { user: Username, secret: Secret, isIdentityToken: Username === "<token>", source: program };
}
