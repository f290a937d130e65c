import { authorizationFor } from "./authorization.ts";
import { authFiles, type Credential, type Environment, findCredential } from "./credentials.ts";
import { type HttpRequest, send, unexpected } from "./http.ts";
import { type ImageName, registryUrl } from "./image-name.ts";

/**
 * Client of an image's repository in its registry, by the OCI distribution specification. Throws if any request fails.
 * skopeo does not replace it: it sends the registry's password to whatever host the registry redirects an upload to, and
 * writes manifests that exist already, which a registry with immutable tags refuses.
 */
export class Repository {
  readonly #image: ImageName;
  readonly #url: string;
  readonly #env: Environment;
  #authorization: string | undefined;

  /** Creates a client; the environment locates the credentials. */
  constructor(image: ImageName, isPlainHttp: boolean, env: Environment) {
    this.#image = image;
    this.#url = `${registryUrl(image, isPlainHttp)}/v2/${image.repository}`;
    this.#env = env;
  }

  /** Returns true if the registry has a blob. */
  async hasBlob(digest: string): Promise<boolean> {
    // 307: the blob exists in the registry's storage on another host.
    const expected = [200, 307, 404];
    const { status } = await this.#request({ method: "HEAD", url: `${this.#url}/blobs/${digest}` }, expected);
    return status !== 404;
  }

  /** Uploads a blob from a file. */
  async uploadBlob(digest: string, file: string): Promise<void> {
    const started = { method: "POST", url: `${this.#url}/blobs/uploads/` } as const;
    const location = (await this.#request(started, [202])).headers.get("location");
    if (location === null)
      throw new Error(`${started.url}: the response has no Location header for the upload`);
    const url = new URL(location, started.url);
    // Appended as text: the query may be signed, so its encoding must not change.
    url.search += `${url.search === "" ? "?" : "&"}digest=${digest}`;
    const headers = { "Content-Type": "application/octet-stream" };
    await this.#request({ method: "PUT", url: url.href, headers, body: Bun.file(file) }, [201]);
  }

  /** Returns the digest of the manifest with a tag or digest, or nothing if there is none. */
  async digestOf(reference: string, mediaType: string): Promise<string | undefined> {
    const url = `${this.#url}/manifests/${reference}`;
    const { status, headers } = await this.#request(
      { method: "HEAD", url, headers: { Accept: mediaType } },
      [200, 404],
    );
    return status === 200 ? (headers.get("docker-content-digest") ?? undefined) : undefined;
  }

  /** Uploads a manifest under a tag or its digest. */
  async putManifest(reference: string, mediaType: string, body: Blob): Promise<void> {
    const url = `${this.#url}/manifests/${reference}`;
    await this.#request({ method: "PUT", url, headers: { "Content-Type": mediaType }, body }, [201]);
  }

  async #request(request: HttpRequest, expected: readonly number[]): Promise<Response> {
    let response = await this.#sendAuthorized(request);
    if (response.status === 401) {
      // The first request, or an expired token.
      const credential = await findCredential(this.#image, this.#env);
      await this.#authorize(response.headers.get("www-authenticate") ?? "", credential);
      response = await this.#sendAuthorized(request);
      if (response.status === 401) throw this.#refusal(credential, await unexpected(request, response));
    }
    if (!expected.includes(response.status)) throw await unexpected(request, response);
    return response;
  }

  async #sendAuthorized(request: HttpRequest): Promise<Response> {
    // An upload may go to another host, which must not learn the password.
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
    const reason = cause instanceof Error ? cause.message : cause;
    if (credential !== undefined) {
      const user = credential.isIdentityToken ? "the identity token" : `user "${credential.user}"`;
      return new Error(
        `${registry} does not allow ${user} of ${credential.source} to push ${repository}: ${reason}`,
      );
    }
    const files = authFiles(this.#env).join(", ");
    return new Error(
      `${registry} requires credentials to push ${repository}, and there are none in ${files}: ` +
        `run podman login ${registry} or docker login ${registry} (${reason})`,
    );
  }
}
