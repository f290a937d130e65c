import type { Credential } from "./credentials.ts";
import { type HttpRequest, send, unexpected } from "./http.ts";

/**
 * Returns the Authorization header that answers a registry's challenge (its header WWW-Authenticate), for a scope such as
 * `repository:you/wasp:pull,push`; nothing when it takes credentials and there are none. Throws when they are refused.
 */
export async function authorizationFor(
  challenge: string,
  scope: string,
  credential: Credential | undefined,
): Promise<string | undefined> {
  if (/^bearer /i.test(challenge)) return `Bearer ${await fetchToken(challenge, scope, credential)}`;
  if (!/^basic\b/i.test(challenge)) throw new Error(`no way is known to meet the challenge "${challenge}"`);
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
  if (realm === undefined) throw new Error(`the challenge "${challenge}" does not say who gives out tokens`);
  const request = tokenRequest(realm, new URLSearchParams({ service, scope }), credential);
  const answer = await send(request);
  if (answer.status !== 200) throw await unexpected(request, answer);
  const { token, access_token } = (await answer.json()) as { token?: string; access_token?: string };
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
