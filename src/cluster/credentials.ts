import { readToken, type TlsOptions, type Trust, tlsOptions } from "./trust.ts";

/** Token and TLS options of a request. */
export interface Credentials {
  readonly token: string;
  readonly tls: TlsOptions;
}

/** Location of the credentials of a server. */
export interface CredentialFiles {
  /** Name in messages: `the kubelet`. */
  readonly title: string;
  readonly tokenFile: string;
  readonly trust: Trust;
}

/** Reads the credentials from their files; rejects with a RequestError. */
export async function readCredentials({ title, tokenFile, trust }: CredentialFiles): Promise<Credentials> {
  return { token: await readToken(tokenFile), tls: await tlsOptions(trust, title) };
}

// As client-go does (transport/token_source.go, NewCachedFileTokenSource).
const REFRESH_MILLISECONDS = 60_000;
const EXPIRY_MARGIN_MILLISECONDS = 10_000;

/**
 * Credentials that are kept in memory: on a node that thrashes even a small file takes seconds to read. They are read again
 * each minute beside the requests, and before a request only if the token expires or was refused.
 */
export class KeptCredentials {
  readonly #files: CredentialFiles;
  readonly #clock: Clock;
  #kept: (Credentials & { readonly expiresMilliseconds: number }) | undefined;
  #refreshMilliseconds = Number.NEGATIVE_INFINITY;

  constructor(files: CredentialFiles, clock: Clock = CLOCK) {
    this.#files = files;
    this.#clock = clock;
  }

  /** Returns the credentials, from memory if they are valid; rejects with a RequestError. */
  async current(): Promise<Credentials> {
    const isValid =
      this.#kept !== undefined &&
      this.#clock.wallMilliseconds() < this.#kept.expiresMilliseconds - EXPIRY_MARGIN_MILLISECONDS;
    if (this.#kept === undefined || !isValid) return await this.#read();
    if (this.#clock.monotonicMilliseconds() >= this.#refreshMilliseconds) {
      this.#scheduleRefresh();
      // If the files cannot be read, the server decides how long these are valid.
      void this.#read().catch(() => {});
    }
    return this.#kept;
  }

  /** Has the files read before the next request, because the server refused what was kept. */
  forget(): void {
    this.#kept = undefined;
  }

  async #read(): Promise<Credentials> {
    this.#scheduleRefresh();
    const credentials = await readCredentials(this.#files);
    this.#kept = { ...credentials, expiresMilliseconds: expiryOf(credentials.token) };
    return credentials;
  }

  #scheduleRefresh(): void {
    this.#refreshMilliseconds = this.#clock.monotonicMilliseconds() + REFRESH_MILLISECONDS;
  }
}

/** Time since the epoch, which may jump, and a time that never does. */
interface Clock {
  readonly wallMilliseconds: () => number;
  readonly monotonicMilliseconds: () => number;
}

const CLOCK: Clock = { wallMilliseconds: Date.now, monotonicMilliseconds: () => performance.now() };

/** Returns the expiry of a JSON Web Token in milliseconds since the epoch; Infinity for another token (RFC 7519, 4.1.4). */
function expiryOf(token: string): number {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
