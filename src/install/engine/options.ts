import type { SwapOptions } from "../../policy/install/swap/options.ts";

/** What an administrator chose for an installation; each part takes what it needs. */
export interface InstallOptions {
  /** Where the executable is installed: an absolute path of the host. */
  readonly binaryPath: string;
  /**
   * The kubelet's soft threshold of memory.available, a quantity or a percentage as the kubelet spells it; Auto for one
   * that fits the node, Off to set none.
   */
  readonly evictionSoft: string;
  /** Whether the services whose settings change are restarted. */
  readonly restart: boolean;
  readonly swap: SwapOptions;
  /** Whether swap is set up although the kubelet would not start with it. */
  readonly ignoreKubelet: boolean;
}
