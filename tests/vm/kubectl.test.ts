/** kubectl builds the same objects from the manifests as the other tests do. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { relative } from "node:path";
import { parseAllDocuments, stringify } from "yaml";
import { documentedCommands, isOfKubectl } from "../documented-commands.ts";
import { build, buildOverlay, COMPONENTS, type KubernetesObject, MANIFESTS } from "../manifests/kustomize.ts";
import { patience } from "../patience.ts";
import { guestImage } from "./image.ts";

setDefaultTimeout(patience(60));

const { kubectl } = await guestImage();

function kustomize(folder: string): KubernetesObject[] {
  const { exitCode, stdout, stderr } = Bun.spawnSync([kubectl, "kustomize", folder]);
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  return parseAllDocuments(stdout.toString()).map((document) => document.toJS());
}

/** Builds the base with components. */
function kustomizeBase(components: readonly string[]): KubernetesObject[] {
  const folder = mkdtempSync(`${tmpdir()}/wasp-kustomize-`);
  const pathTo = (name: string) => relative(folder, `${MANIFESTS}/${name}`);
  const kustomization = { resources: [pathTo("base")], components: components.map(pathTo) };
  try {
    writeFileSync(`${folder}/kustomization.yaml`, stringify(kustomization));
    return kustomize(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const inOrder = (objects: KubernetesObject[]) =>
  objects.toSorted((a, b) => `${a.kind}/${a.metadata.name}`.localeCompare(`${b.kind}/${b.metadata.name}`));

describe("kubectl parses each documented command", () => {
  const commands = documentedCommands().filter(isOfKubectl);

  test.each(commands.map(({ words }) => [words.join(" "), words] as const))("%s", (_, [, ...words]) => {
    const { exitCode, stderr } = Bun.spawnSync([kubectl, ...words, "--help"]);
    expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  });

  test("and refuses another flag", () => {
    expect(Bun.spawnSync([kubectl, "get", "pods", "--outptu", "--help"]).exitCode).not.toBe(0);
  });
});

describe("kubectl kustomize builds the same objects", () => {
  test.each(["base", "openshift", "openshift-removal"])("of %s", (folder) => {
    expect(inOrder(kustomize(`${MANIFESTS}/${folder}`))).toEqual(inOrder(buildOverlay(folder)));
  });

  test.each(
    COMPONENTS.map((name) => ({
      name,
      components: name === "components/remove-hook" ? ["components/install-hook", name] : [name],
    })),
  )("of the base with $name", ({ components }) => {
    expect(inOrder(kustomizeBase(components))).toEqual(inOrder(build(components)));
  });

  test("of the base with all components that go together", () => {
    const together = COMPONENTS.filter((name) => name !== "components/eviction-dry-run");
    expect(inOrder(kustomizeBase(together))).toEqual(inOrder(build(together)));
  });
});
