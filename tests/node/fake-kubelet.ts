import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import type { Server, TLSSocket } from "node:tls";
import { listen, makeCertificates, onRequest } from "./https-server.ts";

const RECORDINGS = new URL("../fixtures/recordings/api", import.meta.url).pathname;

/** The one name in the fake kubelet's certificate, which is not its address, as with a real one. */
export const KUBELET_NAME = "k8snode";

/** What the fake kubelet does with a request. */
export type Answer = (socket: TLSSocket) => void;

/** Answers with a recorded status line, headers and body, to the byte. */
export function recordedAnswer(file: string): Answer {
  const bytes = readFileSync(`${RECORDINGS}/${file}`);
  return (socket) => socket.end(bytes);
}

/** Answers as a kubelet does, in full. */
export function answer(status: string, body: string): Answer {
  return (socket) => socket.end(head(status, Buffer.byteLength(body)) + body);
}

/** Begins the same answer, and resets the connection half way through the body. */
export function brokenAnswer(body: string): Answer {
  return (socket) => {
    socket.write(head("200 OK", Buffer.byteLength(body)) + body.slice(0, body.length / 2));
    setTimeout(() => socket.destroy(), 20);
  };
}

/** Answers with more and more blanks, for as long as somebody listens. */
export const endlessAnswer: Answer = (socket) => {
  const write = () => {
    while (!socket.destroyed && socket.write(" ".repeat(65_536)));
  };
  socket.on("drain", write);
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
  write();
};

/** Answers so many milliseconds later. */
export function slowAnswer(milliseconds: number, late: Answer): Answer {
  return (socket) => setTimeout(() => late(socket), milliseconds);
}

/** Never answers. */
export const silence: Answer = () => {};

function head(status: string, bytes: number): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;
}

/** A recorded list of pods, as JSON text. */
export function recordedPods(file: "kubelet-pods.json" | "pods-by-node.json"): string {
  return readFileSync(`${RECORDINGS}/${file}`, "utf8");
}

/** A recorded configuration of a kubelet, as JSON text, with another swapBehavior than its own, which was none. */
export function recordedConfig(swapBehavior?: string): string {
  const configz = JSON.parse(readFileSync(`${RECORDINGS}/kubelet-configz.json`, "utf8"));
  configz.kubeletconfig.memorySwap = { swapBehavior };
  return JSON.stringify(configz);
}

/** The HTTPS port of a kubelet, with certificates of its own making, that answers as it is told. */
export class FakeKubelet implements Disposable {
  readonly folder: string;
  readonly port: number;
  /** The head of each request that came through, oldest first. */
  readonly requests: string[] = [];
  answer: Answer = answer("200 OK", recordedPods("kubelet-pods.json"));
  /** What is answered to paths that are not answered like all others. */
  readonly answers = new Map<string, Answer>([["/configz", answer("200 OK", recordedConfig())]]);
  readonly #server: Server;

  private constructor(folder: string, server: Server) {
    this.folder = folder;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    onRequest(server, (head, socket) => {
      this.requests.push(head);
      const [, path = ""] = head.split(" ");
      (this.answers.get(path) ?? this.answer)(socket);
    });
  }

  /** Makes certificates and listens on 127.0.0.1. */
  static async start(): Promise<FakeKubelet> {
    const folder = mkdtempSync(`${tmpdir()}/wasp-kubelet-`);
    await makeCertificates(folder, "kubelet", `DNS:${KUBELET_NAME}`);
    return new FakeKubelet(folder, await listen(folder, "kubelet", "127.0.0.1"));
  }

  /** Listens no more: whoever connects is refused. */
  goDown(): void {
    this.#server.close();
  }

  /** Listens again, where it did. */
  async comeUp(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
  }

  /** Writes a file beside the certificates `ca.pem`, `kubelet.pem` and `other.pem`, and tells its path. */
  write(name: string, text: string): string {
    writeFileSync(`${this.folder}/${name}`, text);
    return `${this.folder}/${name}`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    rmSync(this.folder, { recursive: true });
  }
}
