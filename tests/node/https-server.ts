import { readFileSync } from "node:fs";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { $ } from "bun";

/**
 * Makes the certificates `ca.pem`, `NAME.pem` that it issued for the given names, as in `DNS:k8snode`, and `other.pem`
 * that issued nothing.
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

/** Listens with a certificate of makeCertificates, on a port that the system chooses. */
export async function listen(folder: string, name: string, address: string): Promise<Server> {
  const server = createServer({
    cert: readFileSync(`${folder}/${name}.pem`),
    key: readFileSync(`${folder}/${name}.key`),
  });
  // A client that does not trust the certificate hangs up.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return server;
}

/** Hands over the head of each request, with what answers it. */
export function onRequest(server: Server, serve: (head: string, socket: TLSSocket) => void): void {
  server.on("secureConnection", (socket: TLSSocket) => {
    let head = "";
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      head += chunk;
      if (head.endsWith("\r\n\r\n")) serve(head, socket);
    });
  });
}
