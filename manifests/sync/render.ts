import { exists, readdir } from "node:fs/promises";
import { relative } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { kubectl } from "./commands.ts";

const MANIFESTS = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
const LOCAL_IMAGE = "localhost/wasp";

/** What is to be applied: the base with these of its components, or a folder with a kustomization instead. */
export interface Choice {
  readonly components: readonly string[];
  readonly overlay: string | undefined;
}

/** The DaemonSet in rendered manifests. */
export interface DaemonSet {
  readonly name: string;
  readonly namespace: string;
  /** The label selector of its pods, as kubectl takes it. */
  readonly selector: string;
}

/** Throws for a choice of what is not there. */
export async function checkChoice({ components, overlay }: Choice): Promise<void> {
  const known = (await readdir(`${MANIFESTS}/components`)).sort();
  const unknown = components.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--component ${unknown}: must be one of ${known.join(", ")}`);
  if (overlay === undefined) return;
  if (components.length > 0) throw new Error("--component adds to the base, so it cannot go with --overlay");
  if (!(await exists(`${overlay}/kustomization.yaml`)))
    throw new Error(`--overlay ${overlay}: must be a folder with a kustomization.yaml`);
}

/** Writes a kustomization of a choice with an image, named by its digest, to a folder. */
export async function writeKustomization(
  folder: string,
  { components, overlay }: Choice,
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

/** Renders the kustomization in a folder; throws when its one DaemonSet does not run an image of this reference. */
export async function render(
  folder: string,
  reference: string,
): Promise<{ manifests: string; daemonSet: DaemonSet }> {
  const manifests = await kubectl("kustomize", folder);
  const objects = parseAllDocuments(manifests).map((document) => document.toJS());
  const [daemonSet, another] = objects.filter(({ kind }) => kind === "DaemonSet");
  if (daemonSet === undefined || another !== undefined)
    throw new Error("the manifests have to have one DaemonSet");
  const { initContainers = [], containers } = daemonSet.spec.template.spec;
  const images: string[] = [...initContainers, ...containers].map(({ image }: { image: string }) => image);
  if (!images.every((image) => image === reference))
    throw new Error(
      `the DaemonSet runs ${images.join(", ")}: an overlay has to leave the image ${LOCAL_IMAGE} as the base has it`,
    );
  const { name, namespace } = daemonSet.metadata;
  const labels: Record<string, string> = daemonSet.spec.selector.matchLabels;
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return { manifests, daemonSet: { name, namespace, selector: selector.join(",") } };
}
