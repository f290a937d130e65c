import type { Target } from "../config/install/knobs.ts";
import { enteredHost, type Host, imageHost, runningExecutable, runningHost } from "../install/target/host.ts";

/** Returns the host that a command line selects; throws unless this process may change it. */
export function hostOf({ fsroot, chroot, isImage, dryRun }: Target): Host {
  if (!dryRun && process.getuid?.() !== 0) throw new Error("only root can change a host: run this as root");
  if (chroot !== undefined) return enteredHost(chroot, runningExecutable());
  return isImage ? imageHost(fsroot, runningExecutable()) : runningHost(fsroot, runningExecutable());
}
