/** A request to a registry, or to who authorizes for it. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Blob;
}

/** Sends a request without following redirections; throws when nobody answers, or somebody without a valid certificate. */
export async function send({ url, ...request }: HttpRequest): Promise<Response> {
  try {
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    return await fetch(url, { ...request, redirect: "manual", tls: { rejectUnauthorized: true } });
  } catch (error) {
    const { origin, protocol } = new URL(url);
    throw new Error(`${origin} cannot be reached: ${reasonOf(error)}${remedyFor(error, protocol)}`);
  }
}

/** Returns an error for an answer that is none of those that were expected, with what the registry says of it. */
export async function unexpected({ method, url }: HttpRequest, answer: Response): Promise<Error> {
  return new Error(`${method} ${url}: ${answer.status} ${answer.statusText}${await explanationIn(answer)}`);
}

// As the distribution specification has registries explain themselves.
async function explanationIn(answer: Response): Promise<string> {
  const text = (await answer.text()).trim();
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
