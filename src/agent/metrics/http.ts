import { serve } from "bun";
import type { AgentMetrics } from "./metrics.ts";
import { readTlsPair, type TlsFiles, type TlsPair } from "./tls-pair.ts";
import type { AgentView } from "./view.ts";

/** What is served, and where. */
export interface HttpOptions {
  /** An address of this host: `::` for all. */
  readonly address: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Undefined for plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly view: AgentView;
  readonly metrics: AgentMetrics;
}

/** The agent's HTTP endpoint as long as it is served. */
export interface HttpEndpoint {
  readonly port: number;
  /**
   * Reads the certificate's files again, and serves what is new in them to whoever connects from now on. Throws an
   * error that names the file that is wrong; what was served before is served on.
   */
  readonly reloadCertificate: () => void;
  /** Answers no more. */
  readonly stop: () => Promise<void>;
}

const METHODS = ["GET", "HEAD"];
const IDLE_SECONDS = 10;

/** Serves metrics and health; throws an error that names the flag to change when it cannot. */
export function serveHttp(options: HttpOptions): HttpEndpoint {
  const { tls } = options;
  let pair = tls && readTlsPair(tls);
  let server = listen(options, options.port, pair);
  const port = server.port ?? options.port;
  return {
    port,
    reloadCertificate: () => {
      const next = tls && readTlsPair(tls);
      if (next?.cert === pair?.cert && next?.key === pair?.key) return;
      // Bun's reload() leaves the certificate as it is. Answers under way are finished.
      void server.stop();
      server = listen(options, port, next);
      pair = next;
    },
    stop: () => server.stop(true),
  };
}

function listen(options: HttpOptions, port: number, tls: TlsPair | undefined): Bun.Server<undefined> {
  try {
    return serve({
      hostname: options.address,
      port,
      ...(tls === undefined ? {} : { tls }),
      idleTimeout: IDLE_SECONDS,
      development: false,
      // In production Bun would share the port with whoever has it.
      reusePort: false,
      fetch: (request) => answer(request, options),
      error: (error) => text(500, error.message),
    });
  } catch (error) {
    throw refusal(options.address, port, error as NodeJS.ErrnoException);
  }
}

function refusal(address: string, port: number, { code, message }: NodeJS.ErrnoException): Error {
  if (code === "EADDRINUSE")
    return new Error(`--http-port: ${port} is in use on ${address}: give one that is free, or 0 for any`);
  if (code === "EADDRNOTAVAIL")
    return new Error(`--http-address: ${address} is not an address of this host: give one, or :: for all`);
  return new Error(`--http-address: cannot listen on ${address}, port ${port}: ${message}`);
}

async function answer(request: Request, { view, metrics }: HttpOptions): Promise<Response> {
  // Without a usable Host header, the URL is a path alone.
  const { pathname } = new URL(request.url, "http://localhost");
  const page = PAGES[pathname];
  if (page === undefined) return text(404, `not here: there are ${Object.keys(PAGES).join(", ")}`);
  if (!METHODS.includes(request.method))
    return text(405, `not ${request.method}: ${METHODS.join(" or ")}`, { allow: METHODS.join(", ") });
  return page(view, metrics);
}

type Page = (view: AgentView, metrics: AgentMetrics) => Response | Promise<Response>;

const PAGES: Readonly<Record<string, Page>> = {
  "/metrics": async (_, metrics) =>
    new Response(await metrics.scrape(), { headers: { "content-type": metrics.contentType } }),
  "/healthz": ({ isAlive }) =>
    isAlive ? text(200, "ok") : text(503, "not alive: passes over the containers no longer end"),
  "/readyz": ({ isReady }) =>
    isReady ? text(200, "ok") : text(503, "not ready: the first full pass is not done"),
};

function text(status: number, line: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { ...headers, "content-type": "text/plain" } });
}
