import type { Credential } from "./credentials.ts";
import { type HttpRequest, send, unexpected } from "./http.ts";

/**
 * Returns the Authorization header that answers a registry's challenge (its WWW-Authenticate header) for a scope such as
 * `repository:you/wasp:pull,push`, or nothing if the registry needs credentials and there are none. Throws if they are refused.
 */
export async function authorizationFor(
  challenge: string,
  scope: string,
  credential: Credential | undefined,
): Promise<string | undefined> {
  if (/^bearer /i.test(challenge)) return `Bearer ${await fetchToken(challenge, scope, credential)}`;
  if (!/^basic\b/i.test(challenge))
    throw new Error(`unsupported authentication challenge "${challenge}": must be Bearer or Basic`);
  return credential === undefined || credential.isIdentityToken ? undefined : basic(credential);
}

function basic({ user, secret }: Credential): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}`;
}

async function fetchToken(
  challenge: string,
  scope: string,
  credential: Credential | undefined,
): Promise<string> {
  const { realm, service = "" } = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  if (realm === undefined)
    throw new Error(`the challenge "${challenge}" has no realm, which is the address of the token server`);
  const request = tokenRequest(realm, new URLSearchParams({ service, scope }), credential);
  const response = await send(request);
  if (response.status !== 200) throw await unexpected(request, response);
  const { token, access_token } = (await response.json()) as { token?: string; access_token?: string };
  return token ?? access_token ?? "";
}

function tokenRequest(
  realm: string,
  query: URLSearchParams,
  credential: Credential | undefined,
): HttpRequest {
  if (credential?.isIdentityToken) {
    const grant = { grant_type: "refresh_token", refresh_token: credential.secret, client_id: "wasp" };
    const body = new URLSearchParams({ ...Object.fromEntries(query), ...grant });
    return { method: "POST", url: realm, body };
  }
  const url = new URL(realm);
  for (const [name, value] of query) url.searchParams.set(name, value);
  const headers = credential === undefined ? {} : { Authorization: basic(credential) };
  return { method: "GET", url: url.href, headers };
}
