// What the device of a node is called by its serial number, or by what the kernel found first, is no device of the next.
const PATH_OF_ALL_NODES = /^\/dev\/(?:disk\/by-(?:path|partlabel)|mapper)\/[^/]+$/;

/** Why a device cannot be named so for many nodes at once; none if it can. */
export function refusalsOfName(path: string): readonly string[] {
  return PATH_OF_ALL_NODES.test(path)
    ? []
    : [
        `${path} is another disk, or none, on other nodes: name it as all of them have it, below /dev/disk/by-path or by-partlabel, or /dev/mapper`,
      ];
}
