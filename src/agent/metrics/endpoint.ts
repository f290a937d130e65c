import type { AgentConfig } from "../../config/agent/knobs.ts";
import { type HttpEndpoint, serveHttp } from "./http.ts";
import type { AgentMetrics } from "./metrics.ts";
import type { Reporter } from "./reporter.ts";
import type { AgentView } from "./view.ts";

const CERTIFICATE_CHECK_MILLISECONDS = 60_000;

/** Options of the agent's endpoint. */
export interface EndpointOptions {
  readonly config: AgentConfig;
  readonly view: AgentView;
  readonly metrics: AgentMetrics;
  readonly reporter: Reporter;
}

/** Serves metrics and health at the configured address, with a certificate that may be replaced at any time. */
export class Endpoint {
  readonly #http: HttpEndpoint;
  readonly #reporter: Reporter;
  readonly #timer: NodeJS.Timeout | undefined;

  /** Throws an Error that names the flag to change if it cannot listen. */
  constructor({ config, view, metrics, reporter }: EndpointOptions) {
    const { httpAddress: address, httpPort, httpCertificateFile, httpKeyFile } = config;
    const tls =
      httpCertificateFile === undefined || httpKeyFile === undefined
        ? undefined
        : { certificateFile: httpCertificateFile, keyFile: httpKeyFile };
    this.#reporter = reporter;
    this.#http = serveHttp({ address, port: httpPort, tls, view, metrics });
    reporter.log("http-listening", { address, port: this.#http.port, tls: tls !== undefined });
    if (tls !== undefined)
      this.#timer = setInterval(() => this.#reloadCertificate(), CERTIFICATE_CHECK_MILLISECONDS);
  }

  /** Stops at once. */
  close(): void {
    clearInterval(this.#timer);
    void this.#http.stop();
  }

  #reloadCertificate(): void {
    try {
      this.#http.reloadCertificate();
      this.#reporter.end("certificate-refused");
    } catch (error) {
      this.#reporter.begin("certificate-refused", (error as Error).message);
    }
  }
}
