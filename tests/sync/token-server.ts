/** Token server of a registry, as quay.io and Docker Hub have one: it issues tokens to one user. */
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { makeCertificates } from "../node/https-server.ts";

/** User name, password, and an identity token that replaces both. */
export const USER = { name: "you", password: "a:secret", identityToken: "an identity token" } as const;

/** Token server, and the section of a registry's configuration that accepts its tokens. */
export interface TokenServer extends AsyncDisposable {
  readonly auth: object;
}

/** Starts a token server, with its key in a folder. */
export async function startTokenServer(folder: string): Promise<TokenServer> {
  await makeCertificates(folder, "tokens", "DNS:tokens");
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { isKnown, scope } = await readRequest(request);
      if (!isKnown)
        return Response.json(
          { errors: [{ code: "UNAUTHORIZED", message: "who are you?" }] },
          { status: 401 },
        );
      return Response.json({ token: tokenFor(folder, scope) });
    },
  });
  const auth = {
    token: {
      realm: `http://127.0.0.1:${server.port}/token`,
      service: "a registry",
      issuer: "tokens",
      rootcertbundle: `${folder}/ca.pem`,
    },
  };
  return { auth, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function readRequest(request: Request): Promise<{ isKnown: boolean; scope: string }> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    const isKnown = form.get("refresh_token") === USER.identityToken && form.get("service") === "a registry";
    return { isKnown, scope: form.get("scope") ?? "" };
  }
  const { searchParams } = new URL(request.url);
  const expected = `Basic ${btoa(`${USER.name}:${USER.password}`)}`;
  const isKnown =
    request.headers.get("authorization") === expected && searchParams.get("service") === "a registry";
  return { isKnown, scope: searchParams.get("scope") ?? "" };
}

/** Returns a token by the distribution specification, for a scope such as `repository:you/wasp:pull,push`. */
function tokenFor(folder: string, scope: string): string {
  const [type, name, actions = ""] = scope.split(":");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: "tokens", sub: USER.name, aud: "a registry", jti: randomUUID() },
    ...{ iat: now, nbf: now - 10, exp: now + 300 },
    access: [{ type, name, actions: actions.split(",") }],
  };
  const certificate = new X509Certificate(readFileSync(`${folder}/tokens.pem`));
  const header = { typ: "JWT", alg: "ES256", x5c: [certificate.raw.toString("base64")] };
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const content = `${encode(header)}.${encode(claims)}`;
  const key = createPrivateKey(readFileSync(`${folder}/tokens.key`));
  const signature = sign("sha256", Buffer.from(content), { key, dsaEncoding: "ieee-p1363" });
  return `${content}.${signature.toString("base64url")}`;
}
