/** Renders the manifests as `kubectl kustomize` does, for the part of its language that they use. */
import { readdirSync, readFileSync } from "node:fs";
import { normalize } from "node:path/posix";
import { deepEquals } from "bun";
import { parse, parseAllDocuments } from "yaml";
import { ROOT } from "../node/binary.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of all kinds; tests/manifests/openapi.ts checks them.
export type KubernetesObject = any;

/** Folder of the manifests. */
export const MANIFESTS = `${ROOT}/manifests`;

/** Components that an overlay can add to the base, as folders of `manifests`. */
export const COMPONENTS = readdirSync(`${MANIFESTS}/components`)
  .map((name) => `components/${name}`)
  .sort();

interface Kustomization {
  readonly resources: readonly string[];
  readonly components: readonly string[];
  readonly configMapGenerator: readonly Generator[];
  readonly patches: readonly { target: { kind: string; name: string }; patch: string }[];
}

interface Generator {
  readonly name: string;
  readonly namespace: string;
  readonly behavior?: "merge";
  readonly files: readonly string[];
  readonly options: { disableNameSuffixHash: true; labels?: Record<string, string> };
}

/** Returns the objects of the base with components. Throws for anything that kustomize, or this part of it, refuses. */
export function build(components: readonly string[] = []): KubernetesObject[] {
  const objects: KubernetesObject[] = [];
  for (const folder of ["base", ...components]) addTo(objects, folder);
  return objects;
}

/** Returns the objects of an overlay, a folder of `manifests`. Throws as `build` does. */
export function buildOverlay(folder: string): KubernetesObject[] {
  const objects: KubernetesObject[] = [];
  addTo(objects, folder);
  return objects;
}

// Resources, then components, then patches: kustomize's order, independent of the file's.
function addTo(objects: KubernetesObject[], folder: string): void {
  const { resources, components, configMapGenerator, patches } = readKustomization(folder);
  for (const resource of resources) {
    if (resource.endsWith(".yaml")) objects.push(...readObjects(`${folder}/${resource}`));
    else addTo(objects, normalize(`${folder}/${resource}`));
  }
  for (const generator of configMapGenerator) {
    const generated = generate(folder, generator);
    if (generator.behavior === "merge") Object.assign(find(objects, "ConfigMap").data, generated.data);
    else objects.push(generated);
  }
  for (const component of components) addTo(objects, normalize(`${folder}/${component}`));
  for (const { target, patch } of patches) {
    const operations = parse(patch);
    for (const operation of operations) apply(find(objects, target.kind, target.name), operation);
  }
}

/** Returns the object of a kind and name. Throws unless there is exactly one. */
export function find(objects: readonly KubernetesObject[], kind: string, name = "wasp"): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`${found.length} objects are a ${kind} named ${name}, not one`);
  return found[0];
}

/** Returns the files that a kustomization uses, without itself. */
export function filesOf(folder: string): string[] {
  const { resources, configMapGenerator } = readKustomization(folder);
  return [
    ...resources.filter((resource) => resource.endsWith(".yaml")),
    ...configMapGenerator.flatMap(({ files }) => files),
  ];
}

function readKustomization(folder: string): Kustomization {
  const file = `${folder}/kustomization.yaml`;
  const [kustomization] = readObjects(file);
  const {
    apiVersion,
    kind,
    resources = [],
    components = [],
    configMapGenerator = [],
    patches = [],
    ...unknown
  } = kustomization;
  const expected = folder.startsWith("components/") ? "v1alpha1 Component" : "v1beta1 Kustomization";
  if (`${apiVersion} ${kind}` !== `kustomize.config.k8s.io/${expected}`)
    throw new Error(`${file} is no ${expected}`);
  if (Object.keys(unknown).length > 0)
    throw new Error(`${file}: ${Object.keys(unknown)} is not supported by the tests`);
  return { resources, components, configMapGenerator, patches };
}

function readObjects(file: string): KubernetesObject[] {
  const documents = parseAllDocuments(readFileSync(`${MANIFESTS}/${file}`, "utf8"));
  return documents.map((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors}`);
    return document.toJS();
  });
}

function generate(folder: string, { name, namespace, files, options }: Generator): KubernetesObject {
  if (!options.disableNameSuffixHash) throw new Error(`the name of ${name} would change with its content`);
  const data = files.map((file) => [file, readFileSync(`${MANIFESTS}/${folder}/${file}`, "utf8")]);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace, labels: options.labels },
    data: Object.fromEntries(data),
  };
}

/** Applies an operation of a JSON patch (RFC 6902). */
function apply(
  object: KubernetesObject,
  { op, path, value }: { op: string; path: string; value: unknown },
): void {
  const keys = path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/"));
  const last = keys.pop() ?? "";
  const parent = keys.reduce((at, key) => at?.[key], object);
  if (parent === undefined) throw new Error(`${path} does not exist`);
  if (op === "add" && Array.isArray(parent) && last === "-") parent.push(value);
  else if (op === "add" && !Array.isArray(parent)) parent[last] = value;
  else if (op === "replace" && last in parent) parent[last] = value;
  else if (op === "remove" && Object.hasOwn(parent, last)) delete parent[last];
  else if (op !== "test" || !deepEquals(parent[last], value)) throw new Error(`cannot ${op} ${path}`);
}
