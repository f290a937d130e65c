/** Name of an image, for the push and for the nodes that pull it. */
export interface ImageName {
  /** Host of the registry, with its port if the name has one. */
  readonly registry: string;
  /** Path within the registry, without a tag. */
  readonly repository: string;
  /** Tag of the pushed image. */
  readonly tag: string;
}

const DOCKER_HUB = "docker.io";
const PREFIX = /^[a-z0-9.[\]:-]+(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * Returns the name of wasp's image from wasp-agent's environment variables: DOCKER_PREFIX is the registry and the path
 * before the image's own name, DOCKER_TAG is the tag (by default `latest`). Throws if a value is not valid.
 */
export function imageName(env: Readonly<Record<string, string | undefined>>): ImageName {
  const prefix = env["DOCKER_PREFIX"] ?? "";
  const tag = env["DOCKER_TAG"] || "latest";
  if (prefix === "")
    throw new Error(
      "DOCKER_PREFIX is not set: must be the registry and path to push the image to, such as DOCKER_PREFIX=quay.io/you",
    );
  if (!PREFIX.test(prefix))
    throw new Error(
      `DOCKER_PREFIX=${prefix}: must be a registry and a path in lower case, without a tag, such as quay.io/you`,
    );
  if (!TAG.test(tag))
    throw new Error(
      `DOCKER_TAG=${tag}: must be at most 128 letters, digits, "_", "." and "-", such as latest or v0.1.0`,
    );
  const [first = "", ...rest] = prefix.split("/");
  // The rule of docker and podman: a first part without a dot, a colon or `localhost` is a path on Docker Hub.
  const isRegistry = /[.:]/.test(first) || first === "localhost";
  const [registry, path] = isRegistry ? [first, rest] : [DOCKER_HUB, [first, ...rest]];
  return { registry, repository: [...path, "wasp"].join("/"), tag };
}

/** Returns the URL of an image's registry: without TLS only on this host or if `isPlainHttp` is true. */
export function registryUrl({ registry }: ImageName, isPlainHttp: boolean): string {
  // Docker Hub's registry has a host name of its own.
  if (registry === DOCKER_HUB) return "https://registry-1.docker.io";
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(registry);
  return `${isLoopback || isPlainHttp ? "http" : "https"}://${registry}`;
}
