import { dirname } from "node:path";
import { $ } from "bun";
import { hostPackages } from "../vm/image.ts";
import type { Score } from "./score.ts";

const PACKAGES = [
  "binutils",
  "busybox-static",
  "docker-registry",
  "git",
  "jq",
  "openssh-server",
  "openssl",
  "protobuf-compiler",
  "runc",
  "time",
  ...hostPackages,
];

// The tests start it themselves: as a service it would listen on every network of this host.
const MASKED_UNIT = "/etc/systemd/system/docker-registry.service";

/** Installs the Debian packages that the tests need and this host lacks. */
export async function installPackages(score: Score): Promise<void> {
  const missing: string[] = [];
  for (const name of PACKAGES) {
    const status = await $`dpkg-query --status ${name}`.nothrow().quiet();
    if (!status.text().includes("\nStatus: install ok installed\n")) missing.push(name);
  }
  if (missing.length === 0) return;
  console.log(`installing ${missing.join(", ")}`);
  if (missing.includes("docker-registry"))
    await $`mkdir -p ${dirname(MASKED_UNIT)} && ln -sfn /dev/null ${MASKED_UNIT}`.nothrow().quiet();
  // Lists first: an old one names packages that are gone.
  const apt = await $`apt-get update -qq && apt-get install -y -qq --no-install-recommends ${missing}`
    .env({ ...process.env, DEBIAN_FRONTEND: "noninteractive" })
    .nothrow()
    .quiet();
  score.check(
    apt.exitCode === 0,
    "Debian packages",
    `could not install ${missing.join(", ")}:\n${apt.stderr}`,
  );
}
