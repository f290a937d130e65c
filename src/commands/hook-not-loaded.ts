import { closeSync, constants, openSync, readSync, writeSync } from "node:fs";
import { idIn } from "../host/state-id.ts";
import { formatEvent } from "../log/format-event.ts";
import { EXIT_SUCCESS } from "./exit-status.ts";

const KERNEL_LOG = "/dev/kmsg";
const STDIN = 0;
const CHUNK_BYTES = 64 * 1024;

/**
 * Logs that the hook's own code cannot be loaded, and reads the state, so that the container starts; returns the exit status.
 * It makes no system calls by FFI, which is what a host without a JIT forbids.
 */
export function reportNotLoaded({ message }: Error): number {
  const line = `wasp[${process.pid}]: hook: ${formatEvent("hook-failed", { id: idOnStdin(), error: message })}`;
  try {
    const log = openSync(KERNEL_LOG, constants.O_WRONLY);
    writeSync(log, `<12>${line}\n`);
    closeSync(log);
  } catch {
    console.error(line);
  }
  return EXIT_SUCCESS;
}

function idOnStdin(): string | undefined {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let beginning = "";
  try {
    for (let length = readSync(STDIN, chunk); length > 0; length = readSync(STDIN, chunk))
      if (beginning.length < CHUNK_BYTES) beginning += chunk.toString("latin1", 0, length);
  } catch {
    // What was read may have it.
  }
  return idIn(beginning);
}
