/** A runtime as the kubelet has it: through CRI. */
import { connect } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { RuntimeService } from "./cri_pb.ts";

/** The calls of a runtime, and the connection that they share; an error is the runtime's, with its message. */
export type CriClient = Client<typeof RuntimeService> & Disposable;

const timeoutSeconds = 40;

/** Returns the client of a runtime that answers at a unix socket of this host; it connects when it is used. */
export function criClient(socket: string): CriClient {
  // gRPC wants a host's name, of which a unix socket has none.
  const baseUrl = "http://localhost";
  const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection: () => connect(socket) });
  const transport = createGrpcTransport({ baseUrl, sessionManager, defaultTimeoutMs: timeoutSeconds * 1000 });
  return Object.assign(createClient(RuntimeService, transport), {
    [Symbol.dispose]: () => sessionManager.abort(),
  });
}
