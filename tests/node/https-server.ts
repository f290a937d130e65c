import { readFileSync } from "node:fs";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { $ } from "bun";

/**
 * Creates the certificates `ca.pem`, `NAME.pem`, which it issued for the given names, as in `DNS:k8snode`, and
 * `other.pem`, an unrelated CA.
 */
export async function makeCertificates(folder: string, name: string, names: string): Promise<void> {
  const make = (subject: string, ...more: string[]) =>
    $`openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${subject} -keyout ${subject}.key -out ${subject}.pem ${more}`
      .cwd(folder)
      .quiet();
  await Promise.all([make("ca"), make("other")]);
  const issuer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=critical,CA:FALSE"];
  await make(name, ...issuer, "-addext", `subjectAltName=${names}`);
}

/** Listens with a certificate of makeCertificates, on a free port. */
export async function listen(folder: string, name: string, address: string): Promise<Server> {
  const server = createServer({
    cert: readFileSync(`${folder}/${name}.pem`),
    key: readFileSync(`${folder}/${name}.key`),
  });
  // A client that does not trust the certificate closes the connection.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return server;
}

/** Calls `serve` with the head and the body of each request, and the connection for the answer. */
export function onRequest(
  server: Server,
  serve: (head: string, socket: TLSSocket, body: string) => void,
): void {
  server.on("secureConnection", (socket: TLSSocket) => {
    let received = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const bodyStart = received.indexOf("\r\n\r\n") + 4;
      if (bodyStart < 4) return;
      const head = received.toString("utf8", 0, bodyStart);
      const bodyBytes = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      if (received.length !== bodyStart + bodyBytes) return;
      const body = received.toString("utf8", bodyStart);
      received = Buffer.alloc(0);
      if (/^connection: keep-alive\r$/im.test(head)) KEPT.add(socket);
      serve(head, socket, body);
    });
  });
}

const KEPT = new WeakSet<TLSSocket>();

/** Writes the last bytes of an answer, and closes the connection unless the client keeps it. */
export function finish(socket: TLSSocket, text: string): void {
  if (KEPT.has(socket)) socket.write(text);
  else socket.end(text);
}
