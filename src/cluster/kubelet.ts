import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { decodePodList, type PodList } from "./pod-list.ts";

/** Where the kubelet listens, and what each side believes the other by. */
export interface KubeletOptions {
  /** A name or an address; the kubelet of this node listens on 127.0.0.1 too, unless its configuration says otherwise. */
  readonly host: string;
  readonly port: number;
  /** The bearer token, read afresh for each request: projected tokens rotate. */
  readonly tokenFile: string;
  readonly trust: KubeletTrust;
  /** For the whole of a request, its body included. */
  readonly timeoutMilliseconds: number;
  /** The largest list that is read. */
  readonly maxBodyBytes: number;
}

/** What shows that it is the kubelet who answers; files are PEM, and read afresh for each request. */
export type KubeletTrust =
  /** A certificate for `serverName`, by default the host, that a certificate of the file issued. */
  | { readonly kind: "ca"; readonly file: string; readonly serverName?: string | undefined }
  /** The first certificate of the file itself, whatever names it bears. */
  | { readonly kind: "serving-certificate"; readonly file: string }
  /** Nothing: whoever answers gets the token. */
  | { readonly kind: "insecure" };

/** Why the kubelet's pods are not known. */
export type KubeletErrorKind =
  /** No connection, or one that broke off. */
  | "unreachable"
  | "timeout"
  /** No usable token, or one that the kubelet does not accept. */
  | "unauthorized"
  /** The token's account lacks a permission. */
  | "forbidden"
  /** Whoever answered could not show to be the kubelet, or the file to know it by is no use. */
  | "tls"
  /** The answer is not a list of pods. */
  | "malformed"
  | "too-large"
  /** Any other HTTP status. */
  | "status";

/** A request to the kubelet that failed; the message is for humans and never holds the token. */
export class KubeletError extends Error {
  override readonly name = "KubeletError";
  readonly kind: KubeletErrorKind;

  constructor(kind: KubeletErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The node's kubelet, over its authenticated HTTPS port. */
export class Kubelet {
  readonly #options: KubeletOptions;
  readonly #url: string;

  constructor(options: KubeletOptions) {
    const host = options.host.includes(":") ? `[${options.host}]` : options.host;
    this.#options = options;
    this.#url = `https://${host}:${options.port}/pods`;
  }

  /** The pods that the kubelet runs or is about to, static ones included; fails with a KubeletError alone. */
  async pods(): Promise<PodList> {
    const token = await readToken(this.#options.tokenFile);
    const tls = await tlsOptions(this.#options.trust);
    const { status, text } = await this.#get(token, tls);
    if (status !== 200) throw this.#refusal(status, text);
    try {
      return decodePodList(text);
    } catch (error) {
      throw new KubeletError("malformed", `the kubelet's answer (${this.#url}) is ${messageOf(error)}`);
    }
  }

  async #get(token: string, tls: TlsOptions): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(this.#url, {
        headers: { accept: "application/json", authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(this.#options.timeoutMilliseconds),
        tls,
        // Whatever the environment says: a token for the kubelet is no proxy's business, nor any other server's.
        proxy: false,
        redirect: "manual",
        // Each request shows the certificate anew.
        keepalive: false,
      });
      return { status: response.status, text: await this.#read(response) };
    } catch (error) {
      throw error instanceof KubeletError ? error : this.#failure(error);
    }
  }

  async #read(response: Response): Promise<string> {
    const { maxBodyBytes } = this.#options;
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) {
        throw new KubeletError(
          "too-large",
          `the kubelet's answer (${this.#url}) exceeds ${maxBodyBytes} bytes`,
        );
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #refusal(status: number, text: string): KubeletError {
    const { tokenFile } = this.#options;
    const answer = `${status} ${excerpt(text)}`.trim();
    if (status === 401) {
      const message = `the kubelet (${this.#url}) does not accept the token in ${tokenFile}: ${answer}`;
      return new KubeletError("unauthorized", message);
    }
    if (status === 403) {
      const message = `the kubelet (${this.#url}) wants ${permissionsIn(text)}: ${answer}`;
      return new KubeletError("forbidden", message);
    }
    return new KubeletError("status", `the kubelet (${this.#url}) answered ${answer}`);
  }

  #failure(error: unknown): KubeletError {
    if (error instanceof DOMException && error.name === "TimeoutError") {
      const seconds = this.#options.timeoutMilliseconds / 1000;
      return new KubeletError("timeout", `the kubelet (${this.#url}) did not answer within ${seconds} s`);
    }
    const code = String((error as { code?: unknown }).code ?? "");
    if (!CERTIFICATE_CODE.test(code)) {
      return new KubeletError("unreachable", `cannot reach the kubelet (${this.#url}): ${messageOf(error)}`);
    }
    const expected = expectation(this.#options);
    return new KubeletError(
      "tls",
      `the kubelet (${this.#url}) did not show ${expected}: ${messageOf(error)}`,
    );
  }
}

// The names of OpenSSL's verdicts on a certificate, and Node's on a host's name.
const CERTIFICATE_CODE = /CERT|CRL|ISSUER|SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/;

function expectation({ host, trust }: KubeletOptions): string {
  if (trust.kind === "insecure") return "a certificate";
  if (trust.kind === "serving-certificate") return `the certificate in ${trust.file}`;
  return `a certificate for ${trust.serverName ?? host} that the CA in ${trust.file} issued`;
}

async function readToken(file: string): Promise<string> {
  const token = (await readText(file, "unauthorized", "token")).trim();
  // What fetch refuses to send as a header, it would quote in its error.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new KubeletError("unauthorized", `${file} does not hold a token`);
}

// Bun's own type leaves out what its fetch heeds.
type TlsOptions = BunFetchRequestInitTLS & Pick<SecureContextOptions, "allowPartialTrustChain">;

async function tlsOptions(trust: KubeletTrust): Promise<TlsOptions> {
  if (trust.kind === "insecure") return { rejectUnauthorized: false };
  const certificates = await readCertificates(trust.file);
  // Said outright, because NODE_TLS_REJECT_UNAUTHORIZED=0 turns the default off.
  if (trust.kind === "ca") {
    const name = trust.serverName === undefined ? {} : { serverName: trust.serverName };
    return { ca: certificates.map(String), rejectUnauthorized: true, ...name };
  }
  const [own] = certificates;
  return {
    ca: String(own),
    // A kubelet's certificate that a cluster's CA issued is no root.
    allowPartialTrustChain: true,
    rejectUnauthorized: true,
    // Names do not matter, but what a CA in the file's first place issued is not the certificate itself.
    checkServerIdentity: (_, shown) =>
      own?.raw.equals(shown.raw)
        ? undefined
        : new KubeletError("tls", `the kubelet did not show the certificate in ${trust.file}`),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

// Parsed here, because fetch tells of a certificate it cannot read as of a typo in the URL.
async function readCertificates(file: string): Promise<X509Certificate[]> {
  const text = await readText(file, "tls", "certificate");
  try {
    const certificates = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (certificates.length > 0) return certificates;
  } catch {}
  throw new KubeletError("tls", `${file} does not hold certificates in PEM`);
}

async function readText(file: string, kind: KubeletErrorKind, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new KubeletError(kind, `cannot read the ${what}: ${messageOf(error)}`);
  }
}

// The kubelet lists what it looked for: `subresource(s)=[pods proxy]`, an older one `subresource=proxy`
// (kubernetes pkg/kubelet/server/server.go, InstallAuthFilter).
function permissionsIn(text: string): string {
  const tried = /subresource(?:\(s\))?=\[?([\w ]+)/.exec(text)?.[1] ?? "pods proxy";
  const user = /user=([^,)]+)/.exec(text)?.[1] ?? "the token's account";
  const permissions = tried
    .trim()
    .split(/ +/)
    .map((name) => `nodes/${name}`);
  return `permission to get ${permissions.join(" or ")} for ${user}`;
}

function excerpt(text: string): string {
  return text.slice(0, 300).trim();
}

// What Bun adds for whoever debugs a fetch is of no use in a log.
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/( fetching "|\. (For more information|Is the computer able)).*$/s, "");
}
