import { applicable } from "../engine/applicable.ts";

// A name from a serial number, or from the kernel's order of detection, differs between nodes.
const SHARED_PATH = /^\/dev\/(?:disk\/by-(?:path|partlabel)|mapper)\/[^/]+$/;

/** Reasons for refusing a device path that differs between nodes. */
export function deviceNameRefusals(path: string): readonly string[] {
  return applicable(
    !SHARED_PATH.test(path) &&
      `${path} may be another disk, or missing, on other nodes: use a path that all nodes have, below /dev/disk/by-path or by-partlabel, or /dev/mapper`,
  );
}
