import { writeSync } from "node:fs";
import { consola } from "consola";
import { stringify } from "yaml";
import type { InstallConfig } from "../config/install/knobs.ts";
import { type Platform, PRINT_FLAGS } from "../config/install/print.ts";
import { kubernetesManifests } from "../install/manifests/kubernetes.ts";
import type { Manifest, Manifests } from "../install/manifests/manifest.ts";
import { openshiftManifests } from "../install/manifests/openshift.ts";
import { withoutFlags } from "../install/remote/argv.ts";
import { EXIT_FAILURE, EXIT_SUCCESS } from "./exit-status.ts";

const STDOUT = 1;
// As the build names the image that it makes.
const LOADED_IMAGE = `localhost/wasp:${process.env["WASP_VERSION"]}`;

/** Prints the manifests that do to the workers of a cluster what the command line asks for. */
export function printManifests(platform: Platform, config: InstallConfig, argv: readonly string[]): number {
  const result = manifestsFor(platform, config, argv);
  if ("refusals" in result) {
    for (const refusal of result.refusals) consola.error(refusal);
    return EXIT_FAILURE;
  }
  const head = `# Printed by: wasp install ${argv.join(" ")}\n`;
  writeSync(STDOUT, head + result.manifests.map(documentOf).join("---\n"));
  return EXIT_SUCCESS;
}

function manifestsFor(
  platform: Platform,
  { options, image = LOADED_IMAGE }: InstallConfig,
  argv: readonly string[],
): Manifests {
  return platform === "openshift"
    ? openshiftManifests(options)
    : kubernetesManifests({ swap: options.swap, image, flags: withoutFlags(argv, PRINT_FLAGS) });
}

function documentOf({ comment, object }: Manifest): string {
  return `# ${comment}\n${stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
