import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { readFile } from "../../host/file.ts";

/** The files of a server's certificate and its key, both in PEM. */
export interface TlsFiles {
  /** The server's own certificate first, then those that lead to its CA. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A certificate and its key, as text in PEM. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a certificate and its key; throws an error that names the flag, the file and what is wrong with it. Looked at
 * here, because Bun tells of a wrong one by OpenSSL's number alone.
 */
export function readTlsPair({ certificateFile, keyFile }: TlsFiles): TlsPair {
  const cert = read("--http-certificate-file", certificateFile);
  const key = read("--http-key-file", keyFile);
  const certificate = parse(
    () => new X509Certificate(cert),
    `--http-certificate-file: ${certificateFile} does not hold a certificate in PEM`,
  );
  const privateKey = parse(
    () => createPrivateKey(key),
    `--http-key-file: ${keyFile} does not hold a private key in PEM, without a passphrase`,
  );
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(`--http-key-file: ${keyFile} is not the key of the certificate in ${certificateFile}`);
  parse(
    () => createSecureContext({ cert, key }),
    `--http-certificate-file: ${certificateFile} holds more than certificates in PEM, or broken ones`,
  );
  return { cert, key };
}

function read(flag: string, file: string): string {
  try {
    return readFile(file);
  } catch (error) {
    throw new Error(`${flag}: cannot be read: ${(error as Error).message}`);
  }
}

function parse<T>(attempt: () => T, complaint: string): T {
  try {
    return attempt();
  } catch {
    throw new Error(complaint);
  }
}
