import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { readFile } from "../../host/file.ts";

/** Files of a server's certificate and its key, both in PEM. */
export interface TlsFiles {
  /** Certificate chain: the server's own certificate first, then the intermediate ones. */
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Certificate and key as PEM text. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads and checks a certificate and its key; throws an Error that names the flag, the file and the fault. Bun itself
 * reports a fault by OpenSSL's error number only.
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
    `--http-certificate-file: ${certificateFile} holds something other than valid certificates in PEM`,
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
