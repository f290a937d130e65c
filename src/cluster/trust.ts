import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { RequestError, type RequestErrorKind } from "./request-error.ts";

/** Verification of a server's certificate; files are PEM. */
export type Trust =
  /** Accepts a certificate for `serverName`, by default the host, that a CA of the file issued. */
  | { readonly kind: "ca"; readonly file: string; readonly serverName?: string | undefined }
  /** Accepts only the first certificate of the file, whatever its names. */
  | { readonly kind: "serving-certificate"; readonly file: string }
  /** Accepts any certificate: any server at the address gets the token. */
  | { readonly kind: "insecure" };

/** TLS options of fetch; Bun's own type lacks one that its fetch supports. */
export type TlsOptions = BunFetchRequestInitTLS & Pick<SecureContextOptions, "allowPartialTrustChain">;

/** Describes the certificate that a host has to present, for a message after "did not present". */
export function expectation(trust: Trust, host: string): string {
  if (trust.kind === "insecure") return "a certificate";
  if (trust.kind === "serving-certificate") return `the certificate in ${trust.file}`;
  return `a certificate for ${trust.serverName ?? host} that the CA in ${trust.file} issued`;
}

/** Reads a bearer token; rejects with a RequestError. */
export async function readToken(file: string): Promise<string> {
  const token = (await readText(file, "unauthorized", "token")).trim();
  // Checked here, because fetch would quote a token that is no valid header in its error.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new RequestError("unauthorized", `${file} does not contain a token`);
}

/** Returns the TLS options that make fetch accept only the expected server; rejects with a RequestError. */
export async function tlsOptions(trust: Trust, title: string): Promise<TlsOptions> {
  if (trust.kind === "insecure") return { rejectUnauthorized: false };
  const certificates = await readCertificates(trust.file);
  // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED=0 turns the default off.
  if (trust.kind === "ca") {
    const name = trust.serverName === undefined ? {} : { serverName: trust.serverName };
    return { ca: certificates.map(String), rejectUnauthorized: true, ...name };
  }
  const [own] = certificates;
  return {
    ca: String(own),
    // A kubelet's certificate that a cluster's CA issued is not self-signed.
    allowPartialTrustChain: true,
    rejectUnauthorized: true,
    // Any name is accepted, but a certificate that the file's certificate issued as a CA is not.
    checkServerIdentity: (_, presented) =>
      own?.raw.equals(presented.raw)
        ? undefined
        : new RequestError("tls", `${title} did not present the certificate in ${trust.file}`),
  };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

// Parsed here, because fetch reports an invalid certificate as a typo in the URL.
async function readCertificates(file: string): Promise<X509Certificate[]> {
  const text = await readText(file, "tls", "certificate");
  try {
    const certificates = (text.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (certificates.length > 0) return certificates;
  } catch {}
  throw new RequestError("tls", `${file} does not contain certificates in PEM`);
}

async function readText(file: string, kind: RequestErrorKind, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new RequestError(kind, `cannot read the ${what}: ${(error as Error).message}`);
  }
}
