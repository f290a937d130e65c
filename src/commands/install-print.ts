import { writeSync } from "node:fs";
import { consola } from "consola";
import { stringify } from "yaml";
import type { Manifest } from "../policy/install/manifests/manifest.ts";
import { openshiftManifests } from "../policy/install/manifests/openshift.ts";
import type { InstallOptions } from "../policy/install/options.ts";
import { EXIT_FAILURE } from "./load-or-complain.ts";

const STDOUT = 1;

/** Prints the manifests that do to the workers of an OpenShift cluster what the command line asks for. */
export function printManifests(options: InstallOptions, argv: readonly string[]): number {
  const result = openshiftManifests(options);
  if ("refusals" in result) {
    for (const refusal of result.refusals) consola.error(refusal);
    return EXIT_FAILURE;
  }
  const head = `# Printed by: wasp install ${argv.join(" ")}\n`;
  writeSync(STDOUT, head + result.manifests.map(documentOf).join("---\n"));
  return 0;
}

function documentOf({ comment, object }: Manifest): string {
  return `# ${comment}\n${stringify(object, { lineWidth: 0 })}`;
}
