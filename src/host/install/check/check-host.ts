import { findAll } from "../../../policy/install/check/find.ts";
import type { Finding } from "../../../policy/install/check/finding.ts";
import type { Host } from "../host.ts";
import { readCheckFacts } from "./read-facts.ts";

/** Checks all that wasp needs of a host, and all that it installs on one; changes nothing. Never throws. */
export function checkHost(host: Host): Finding[] {
  return findAll(readCheckFacts(host));
}
