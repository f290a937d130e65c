import { dlopen } from "bun:ffi";

/** Returns the kernel's page size in bytes: 4 KiB on most nodes, up to 64 KiB on arm64. */
export function readPageBytes(): number {
  const { symbols } = dlopen("libc.so.6", { getpagesize: { args: [], returns: "i32" } });
  return symbols.getpagesize();
}
