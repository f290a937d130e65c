import { findAll } from "../../../install/check/all-checks.ts";
import { readCheckFacts } from "../../../install/check/read-facts.ts";
import type { Finding } from "../../../install/finding/finding.ts";
import type { Host } from "../../../install/target/host.ts";

/** Checks all that wasp needs of a host, and all that it installs on one; changes nothing. Never throws. */
export function checkHost(host: Host): Finding[] {
  return findAll(readCheckFacts(host));
}
