import { type Host, runningHost } from "../../src/install/target/host.ts";
import { InstallHost } from "../node/install-host.ts";

/** The executable of wasp on hosts of tests. */
export const PROGRAM = { path: "/proc/self/exe", digest: "" };

/** Reads facts on a running host after `lay` has put files on it. */
export function readOnHost<Facts>(reader: (host: Host) => Facts, lay: (host: InstallHost) => void): Facts {
  using host = new InstallHost();
  lay(host);
  return reader(runningHost(host.root, PROGRAM));
}
