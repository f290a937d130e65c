import { serve } from "bun";
import type { AgentMetrics } from "./metrics.ts";
import { readTlsPair, type TlsFiles, type TlsPair } from "./tls-pair.ts";
import type { AgentView } from "./view.ts";

/** Options of the HTTP server. */
export interface HttpOptions {
  /** Address of this host, `::` for all. */
  readonly address: string;
  /** Port, 0 for any free one. */
  readonly port: number;
  /** Certificate and key; undefined for plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly view: AgentView;
  readonly metrics: AgentMetrics;
}

/** A running HTTP server. */
export interface HttpEndpoint {
  readonly port: number;
  /**
   * Reads the certificate's files again and uses a changed one for new connections. Throws an Error that names the
   * invalid file; the previous certificate then stays in use.
   */
  readonly reloadCertificate: () => void;
  /** Stops at once. */
  readonly stop: () => Promise<void>;
}

const METHODS = ["GET", "HEAD"];
const IDLE_SECONDS = 10;

/** Serves metrics and health; throws an Error that names the flag to change if it cannot listen. */
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
      // Bun's reload() keeps the old certificate. stop() lets responses in progress finish.
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
      // Outside of development mode, Bun would share the port with another process.
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
    return new Error(`--http-port: ${port} is in use on ${address}: give a free port, or 0 for any`);
  if (code === "EADDRNOTAVAIL")
    return new Error(
      `--http-address: ${address} is not an address of this host: give one of its addresses, or :: for all`,
    );
  return new Error(`--http-address: cannot listen on ${address}, port ${port}: ${message}`);
}

async function answer(request: Request, { view, metrics }: HttpOptions): Promise<Response> {
  // Without a usable Host header, the URL is only a path.
  const { pathname } = new URL(request.url, "http://localhost");
  const page = PAGES[pathname];
  if (page === undefined) return text(404, `not found: the paths are ${Object.keys(PAGES).join(", ")}`);
  if (!METHODS.includes(request.method))
    return text(405, `method ${request.method} is not allowed: use ${METHODS.join(" or ")}`, {
      allow: METHODS.join(", "),
    });
  return page(view, metrics);
}

type Page = (view: AgentView, metrics: AgentMetrics) => Response | Promise<Response>;

const PAGES: Readonly<Record<string, Page>> = {
  "/metrics": async (view, metrics) =>
    new Response(await metrics.scrape(view), { headers: { "content-type": metrics.contentType } }),
  "/healthz": ({ isAlive }) =>
    isAlive ? text(200, "ok") : text(503, "not alive: the agent's loop has stopped"),
  "/readyz": ({ isReady, blindness }) => {
    if (!isReady) return text(503, "not ready: the first full pass is not complete");
    if (blindness === undefined) return text(200, "ok");
    // One odd container, whose pod anyone may have created, holds up no roll-out; a layout that hides most of them does.
    const { unseen, running } = blindness;
    return text(
      503,
      `not ready: ${unseen} of ${running} running containers are in no cgroup that wasp can find`,
    );
  },
};

function text(status: number, line: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${line}\n`, { status, headers: { ...headers, "content-type": "text/plain" } });
}
