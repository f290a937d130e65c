/** The name of an image: where it is pushed to, and where nodes pull it from. */
export interface ImageName {
  /** The registry, with its port where it has one. */
  readonly registry: string;
  /** The path within the registry, without a tag. */
  readonly repository: string;
  /** What the pushed image is found by, besides its digest. */
  readonly tag: string;
}

const DOCKER_HUB = "docker.io";
const PREFIX = /^[a-z0-9.[\]:-]+(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/**
 * Returns the name of wasp's image by the variables that wasp-agent's users have: DOCKER_PREFIX is the registry and what
 * comes before the image's own name, and DOCKER_TAG its tag, or else `latest`. Throws for what names no image.
 */
export function imageName(env: Readonly<Record<string, string | undefined>>): ImageName {
  const prefix = env["DOCKER_PREFIX"] ?? "";
  const tag = env["DOCKER_TAG"] || "latest";
  if (prefix === "")
    throw new Error("DOCKER_PREFIX is not set: where to push the image, as in DOCKER_PREFIX=quay.io/you");
  if (!PREFIX.test(prefix))
    throw new Error(
      `DOCKER_PREFIX=${prefix}: must be a registry and a path in lower case, as in quay.io/you, without a tag`,
    );
  if (!TAG.test(tag))
    throw new Error(
      `DOCKER_TAG=${tag}: must be letters, digits, "_", "." and "-", 128 at most, as in latest or v0.1.0`,
    );
  const [first = "", ...rest] = prefix.split("/");
  // As every client of registries tells a registry from the first part of a path on Docker Hub.
  const isRegistry = /[.:]/.test(first) || first === "localhost";
  const [registry, path] = isRegistry ? [first, rest] : [DOCKER_HUB, [first, ...rest]];
  return { registry, repository: [...path, "wasp"].join("/"), tag };
}

/** Returns the address of an image's registry; it is spoken to without TLS on this host alone, or where that is asked for. */
export function registryUrl({ registry }: ImageName, isPlainHttp: boolean): string {
  // Docker Hub's registry has another name than its images.
  if (registry === DOCKER_HUB) return "https://registry-1.docker.io";
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(registry);
  return `${isLoopback || isPlainHttp ? "http" : "https"}://${registry}`;
}
