import { dlopen } from "bun:ffi";

/** Asks how large the kernel's pages are, in bytes: 4 KiB on most nodes, up to 64 KiB on arm64. */
export function readPageBytes(): number {
  const { symbols } = dlopen("libc.so.6", { getpagesize: { args: [], returns: "i32" } });
  return symbols.getpagesize();
}
