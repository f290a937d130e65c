import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import { RequestError, type RequestErrorKind } from "./request-error.ts";

/** What shows that it is the server who answers; files are PEM, and read afresh for each request. */
export type Trust =
  /** A certificate for `serverName`, by default the host, that a certificate of the file issued. */
  | { readonly kind: "ca"; readonly file: string; readonly serverName?: string | undefined }
  /** The first certificate of the file itself, whatever names it bears. */
  | { readonly kind: "serving-certificate"; readonly file: string }
  /** Nothing: whoever answers gets the token. */
  | { readonly kind: "insecure" };

// Bun's own type leaves out what its fetch heeds.
type TlsOptions = BunFetchRequestInitTLS & Pick<SecureContextOptions, "allowPartialTrustChain">;

/** What whoever answers at a host has to show, in words that follow "did not show". */
export function expectation(trust: Trust, host: string): string {
  if (trust.kind === "insecure") return "a certificate";
  if (trust.kind === "serving-certificate") return `the certificate in ${trust.file}`;
  return `a certificate for ${trust.serverName ?? host} that the CA in ${trust.file} issued`;
}

/** Reads a bearer token; fails with a RequestError. */
export async function readToken(file: string): Promise<string> {
  const token = (await readText(file, "unauthorized", "token")).trim();
  // What fetch refuses to send as a header, it would quote in its error.
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new RequestError("unauthorized", `${file} does not hold a token`);
}

/** What fetch has to heed so that it speaks with nobody else; fails with a RequestError that names the server by its title. */
export async function tlsOptions(trust: Trust, title: string): Promise<TlsOptions> {
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
        : new RequestError("tls", `${title} did not show the certificate in ${trust.file}`),
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
  throw new RequestError("tls", `${file} does not hold certificates in PEM`);
}

async function readText(file: string, kind: RequestErrorKind, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new RequestError(kind, `cannot read the ${what}: ${(error as Error).message}`);
  }
}
