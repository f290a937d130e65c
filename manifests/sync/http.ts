/** Request to a registry or to its token server. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Blob;
}

/** Sends a request without following redirects. Throws if the server is unreachable or its certificate is not valid. */
export async function send({ url, ...request }: HttpRequest): Promise<Response> {
  try {
    // Set explicitly, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn verification off.
    return await fetch(url, { ...request, redirect: "manual", tls: { rejectUnauthorized: true } });
  } catch (error) {
    const { origin, protocol } = new URL(url);
    throw new Error(`${origin} cannot be reached: ${reasonOf(error)}${remedyFor(error, protocol)}`);
  }
}

/** Returns an error for an unexpected response, with the registry's own explanation. */
export async function unexpected({ method, url }: HttpRequest, response: Response): Promise<Error> {
  return new Error(
    `${method} ${url}: ${response.status} ${response.statusText}${await explanationOf(response)}`,
  );
}

// Error format of the OCI distribution specification.
async function explanationOf(response: Response): Promise<string> {
  const text = (await response.text()).trim();
  try {
    const { errors } = JSON.parse(text) as { errors: { code: string; message?: string }[] };
    return errors.map(({ code, message = "" }) => `: ${code}: ${message}`).join("");
  } catch {
    return text === "" ? "" : `: ${text.slice(0, 200)}`;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function remedyFor(error: unknown, protocol: string): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/CERT|ISSUER|SIGNATURE/.test(code))
    return " (NODE_EXTRA_CA_CERTS=FILE names a certification authority to trust)";
  if (code === "EPROTO" && protocol === "https:") return " (--plain-http is for a registry without TLS)";
  return "";
}
