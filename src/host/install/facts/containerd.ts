import type { ContainerdFacts } from "../../../policy/install/containerd.ts";
import type { Host } from "../host.ts";
import { isExecutable, isThere } from "../read-host.ts";
import { readServiceFlags } from "../service-flags.ts";

/** Reads whether a host has a containerd. */
export function readContainerdFacts(host: Host): ContainerdFacts {
  const isInstalled = ["/usr/bin/containerd", "/usr/local/bin/containerd"].some((path) =>
    isExecutable(host, path),
  );
  return {
    isThere:
      isInstalled ||
      isThere(host, "/etc/containerd/config.toml") ||
      readServiceFlags(host, "containerd").isThere,
  };
}
