import type { Socket } from "node:net";
import type { Behavior } from "./fake-runtime.ts";

/** Writes each byte on its own, and lets the peer read in between. */
export function byteByByte(): NonNullable<Behavior["transmit"]> {
  let sending = Promise.resolve();
  return (socket, bytes) => {
    sending = sending.then(async () => {
      for (const byte of bytes) {
        socket.write(Uint8Array.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
  };
}

/** Writes the bytes of some time at once. */
export function merged(): NonNullable<Behavior["transmit"]> {
  const waiting = new WeakMap<Socket, Buffer[]>();
  return (socket, bytes) => {
    const before = waiting.get(socket);
    if (before !== undefined) {
      before.push(bytes);
      return;
    }
    const held = [bytes];
    waiting.set(socket, held);
    setTimeout(() => {
      waiting.delete(socket);
      socket.write(Buffer.concat(held));
    }, 3);
  };
}
