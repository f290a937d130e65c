import { consola } from "consola";
import { stringify } from "yaml";
import type { InstallConfig } from "../config/install/knobs.ts";
import { type Platform, PRINT_FLAGS } from "../config/install/print-flags.ts";
import { kubernetesManifests } from "../install/manifests/kubernetes.ts";
import type { Manifest, Manifests } from "../install/manifests/manifest.ts";
import { openshiftManifests } from "../install/manifests/openshift.ts";
import { withoutFlags } from "../install/remote/argv.ts";
import { EXIT_FAILURE } from "./exit-status.ts";
import { print } from "./print.ts";

// Name of the image that the build makes.
const LOADED_IMAGE = `localhost/wasp:${process.env["WASP_VERSION"]}`;

/** Prints the manifests that install wasp on the workers of a cluster, with the options of the command line. */
export function printManifests(platform: Platform, config: InstallConfig, argv: readonly string[]): number {
  const result = manifestsFor(platform, config, argv);
  if ("refusals" in result) {
    for (const refusal of result.refusals) consola.error(refusal);
    return EXIT_FAILURE;
  }
  const head = `# Printed by: wasp install ${argv.join(" ")}\n`;
  return print(head + result.manifests.map(documentOf).join("---\n"));
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
