import { exists, readdir } from "node:fs/promises";
import { relative } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { kubectl } from "./commands.ts";

const MANIFESTS = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const LOCAL_IMAGE = "localhost/wasp";

/** Manifests to apply: the base with some of its components, or the user's own kustomization instead. */
export interface ManifestChoice {
  readonly components: readonly string[];
  readonly overlay: string | undefined;
}

/** DaemonSet in the rendered manifests. */
export interface DaemonSet {
  readonly name: string;
  readonly namespace: string;
  /** Label selector of its pods, in kubectl's syntax. */
  readonly selector: string;
}

/** Throws if a chosen component or overlay does not exist. */
export async function checkChoice({ components, overlay }: ManifestChoice): Promise<void> {
  const known = (await readdir(`${MANIFESTS}/components`)).sort();
  const unknown = components.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--component ${unknown}: must be one of ${known.join(", ")}`);
  if (overlay === undefined) return;
  if (components.length > 0)
    throw new Error("--component adds to the base, so it cannot be combined with --overlay");
  if (!(await exists(`${overlay}/kustomization.yaml`)))
    throw new Error(`--overlay ${overlay}: must be a folder with a kustomization.yaml`);
}

/** Writes a kustomization of the chosen manifests, with the image pinned to its digest, to a folder. */
export async function writeKustomization(
  folder: string,
  { components, overlay }: ManifestChoice,
  image: { readonly name: string; readonly digest: string },
): Promise<void> {
  // Kustomize refuses absolute paths.
  const pathTo = (path: string) => relative(folder, path);
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [pathTo(overlay ?? `${MANIFESTS}/base`)],
    components: components.map((name) => pathTo(`${MANIFESTS}/components/${name}`)),
    images: [{ name: LOCAL_IMAGE, newName: image.name, digest: image.digest }],
  };
  await Bun.write(`${folder}/kustomization.yaml`, stringify(kustomization));
}

/** Renders the kustomization in a folder. Throws unless it contains exactly one DaemonSet, which runs the image `reference`. */
export async function render(
  folder: string,
  reference: string,
): Promise<{ manifests: string; daemonSet: DaemonSet }> {
  const manifests = await kubectl("kustomize", folder);
  const objects = parseAllDocuments(manifests).map((document) => document.toJS());
  const [daemonSet, another] = objects.filter(({ kind }) => kind === "DaemonSet");
  if (daemonSet === undefined || another !== undefined)
    throw new Error("the manifests must contain exactly one DaemonSet");
  const { initContainers = [], containers } = daemonSet.spec.template.spec;
  const images: string[] = [...initContainers, ...containers].map(({ image }: { image: string }) => image);
  if (!images.every((image) => image === reference))
    throw new Error(
      `the DaemonSet runs ${images.join(", ")}: an overlay must not change the base's image ${LOCAL_IMAGE}`,
    );
  const { name, namespace } = daemonSet.metadata;
  const labels: Record<string, string> = daemonSet.spec.selector.matchLabels;
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return { manifests, daemonSet: { name, namespace, selector: selector.join(",") } };
}
