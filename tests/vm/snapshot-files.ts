/** Returns the file of a snapshot's disk, which is an overlay on the image's. */
export function snapshotDisk(folder: string): string {
  return `${folder}/disk.qcow2`;
}

/** Returns the file of a snapshot's memory and devices. */
export function snapshotMemory(folder: string): string {
  return `${folder}/memory`;
}
