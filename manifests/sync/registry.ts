import { authorizationFor } from "./authorization.ts";
import { authFiles, type Credential, type Environment, findCredential } from "./credentials.ts";
import { type HttpRequest, send, unexpected } from "./http.ts";
import { type ImageName, registryUrl } from "./image-name.ts";

/** An image's repository in its registry, spoken to as the OCI distribution specification says. Whatever fails, throws. */
export class Repository {
  readonly #image: ImageName;
  readonly #url: string;
  readonly #env: Environment;
  #authorization: string | undefined;

  /** The environment says where credentials are kept. */
  constructor(image: ImageName, isPlainHttp: boolean, env: Environment) {
    this.#image = image;
    this.#url = `${registryUrl(image, isPlainHttp)}/v2/${image.repository}`;
    this.#env = env;
  }

  /** Tells whether the registry has a blob. */
  async hasBlob(digest: string): Promise<boolean> {
    // 307: elsewhere, but there.
    const expected = [200, 307, 404];
    const { status } = await this.#request({ method: "HEAD", url: `${this.#url}/blobs/${digest}` }, expected);
    return status !== 404;
  }

  /** Sends a blob from a file. */
  async uploadBlob(digest: string, file: string): Promise<void> {
    const started = { method: "POST", url: `${this.#url}/blobs/uploads/` } as const;
    const location = (await this.#request(started, [202])).headers.get("location");
    if (location === null) throw new Error(`${started.url}: the answer does not say where to upload to`);
    const url = new URL(location, started.url);
    // Appended, because what is there may be signed as it is written.
    url.search += `${url.search === "" ? "?" : "&"}digest=${digest}`;
    const headers = { "Content-Type": "application/octet-stream" };
    await this.#request({ method: "PUT", url: url.href, headers, body: Bun.file(file) }, [201]);
  }

  /** Returns the digest of the manifest that a tag or a digest names; nothing when there is none. */
  async digestOf(reference: string, mediaType: string): Promise<string | undefined> {
    const url = `${this.#url}/manifests/${reference}`;
    const { status, headers } = await this.#request(
      { method: "HEAD", url, headers: { Accept: mediaType } },
      [200, 404],
    );
    return status === 200 ? (headers.get("docker-content-digest") ?? undefined) : undefined;
  }

  /** Sends a manifest, to be found by a tag or by its digest. */
  async putManifest(reference: string, mediaType: string, body: Blob): Promise<void> {
    const url = `${this.#url}/manifests/${reference}`;
    await this.#request({ method: "PUT", url, headers: { "Content-Type": mediaType }, body }, [201]);
  }

  async #request(request: HttpRequest, expected: readonly number[]): Promise<Response> {
    let answer = await this.#sendAuthorized(request);
    if (answer.status === 401) {
      // The first request, or a token that has run out.
      const credential = await findCredential(this.#image, this.#env);
      await this.#authorize(answer.headers.get("www-authenticate") ?? "", credential);
      answer = await this.#sendAuthorized(request);
      if (answer.status === 401) throw this.#refusal(credential, await unexpected(request, answer));
    }
    if (!expected.includes(answer.status)) throw await unexpected(request, answer);
    return answer;
  }

  async #sendAuthorized(request: HttpRequest): Promise<Response> {
    // An upload may go to another host, which is not to learn the password.
    const isOwn = new URL(request.url).origin === new URL(this.#url).origin;
    if (!isOwn || this.#authorization === undefined) return send(request);
    return send({ ...request, headers: { ...request.headers, Authorization: this.#authorization } });
  }

  async #authorize(challenge: string, credential: Credential | undefined): Promise<void> {
    const scope = `repository:${this.#image.repository}:pull,push`;
    try {
      this.#authorization = await authorizationFor(challenge, scope, credential);
    } catch (error) {
      throw this.#refusal(credential, error);
    }
  }

  #refusal(credential: Credential | undefined, cause: unknown): Error {
    const { registry, repository } = this.#image;
    const why = cause instanceof Error ? cause.message : cause;
    if (credential !== undefined) {
      const who = credential.isIdentityToken ? "the identity token" : `user "${credential.user}"`;
      return new Error(`${registry} refuses ${who} of ${credential.source} to push ${repository}: ${why}`);
    }
    const files = authFiles(this.#env).join(", ");
    return new Error(
      `${registry} wants to know who pushes ${repository}, which none of ${files} tells: ` +
        `podman login ${registry}, or docker login ${registry} (${why})`,
    );
  }
}
