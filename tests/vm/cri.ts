/** Client of a container runtime, through CRI as the kubelet uses it. */
import { connect } from "node:net";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { patience } from "../patience.ts";
import { RuntimeService } from "./cri_pb.ts";

/** A runtime's calls on one connection. An error has the runtime's message. */
export type CriClient = Client<typeof RuntimeService> & Disposable;

const TIMEOUT_SECONDS = 60;

/** Returns a client of the runtime at a unix socket of this host. It connects at the first call. */
export function criClient(socket: string): CriClient {
  // gRPC requires a host name, which a unix socket does not have.
  const baseUrl = "http://localhost";
  const sessionManager = new Http2SessionManager(baseUrl, {}, { createConnection: () => connect(socket) });
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    defaultTimeoutMs: patience(TIMEOUT_SECONDS),
  });
  return Object.assign(createClient(RuntimeService, transport), {
    [Symbol.dispose]: () => sessionManager.abort(),
  });
}
