import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import type { Server, TLSSocket } from "node:tls";
import type { V1Pod, V1PodList } from "@kubernetes/client-node";
import type { Json } from "../../src/cluster/kubernetes-json.ts";
import { finish, listen, makeCertificates, onRequest } from "./https-server.ts";

const RECORDINGS = new URL("../fixtures/recordings/api", import.meta.url).pathname;

/** Only name in the fake kubelet's certificate; as with a real one it is not its address. */
export const KUBELET_NAME = "k8snode";

/** Answer to a request, written to its connection. */
export type Answer = (socket: TLSSocket) => void;

/** Answers with a recorded status line, headers and body, unchanged. */
export function recordedAnswer(file: string): Answer {
  const bytes = readFileSync(`${RECORDINGS}/${file}`);
  return (socket) => socket.end(bytes);
}

/** Answers with a status and a body of JSON. */
export function answer(status: string, body: string): Answer {
  return (socket) => finish(socket, head(status, Buffer.byteLength(body)) + body);
}

/** Starts the same answer, and resets the connection in the middle of the body. */
export function brokenAnswer(body: string): Answer {
  return (socket) => {
    socket.write(head("200 OK", Buffer.byteLength(body)) + body.slice(0, body.length / 2));
    setTimeout(() => socket.destroy(), 20);
  };
}

/** Answers with white space without end, until the connection is closed. */
export const endlessAnswer: Answer = (socket) => {
  const write = () => {
    while (!socket.destroyed && socket.write(" ".repeat(65_536)));
  };
  socket.on("drain", write);
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
  write();
};

/** Answers after a delay. */
export function slowAnswer(milliseconds: number, late: Answer): Answer {
  return (socket) => setTimeout(() => late(socket), milliseconds);
}

/** Answers once something has happened. */
export function answerAfter(happened: Promise<unknown>, late: Answer): Answer {
  return (socket) => void happened.then(() => late(socket));
}

/** Never answers. */
export const silence: Answer = () => {};

function head(status: string, bytes: number): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${bytes}\r\n\r\n`;
}

type RecordedList = "kubelet-pods.json" | "pods-by-node.json";

/** Reads a recorded list of pods, as JSON text. */
export function recordedPods(file: RecordedList): string {
  return readFileSync(`${RECORDINGS}/${file}`, "utf8");
}

/** Pod of a recorded list, in which metadata, spec and status are always set. */
export type RecordedPod = Required<Pick<Json<V1Pod>, "metadata" | "spec" | "status">>;

/** Reads one pod of a recorded list by its name. */
export function recordedPod(file: RecordedList, name: string): RecordedPod {
  const { items }: Json<V1PodList> = JSON.parse(recordedPods(file));
  const pod = items.find(({ metadata }) => metadata?.name === name);
  if (pod === undefined) throw new Error(`${file} has no pod ${name}`);
  return pod as RecordedPod;
}

/** Reads a recorded configuration of a kubelet, as JSON text, with this swapBehavior. */
export function recordedConfig(swapBehavior?: string): string {
  const configz = JSON.parse(readFileSync(`${RECORDINGS}/kubelet-configz.json`, "utf8"));
  configz.kubeletconfig.memorySwap = { swapBehavior };
  return JSON.stringify(configz);
}

/** Fake kubelet on an HTTPS port, with certificates of its own, whose answers tests set. */
export class FakeKubelet implements Disposable {
  readonly folder: string;
  readonly port: number;
  /** Head of each received request, oldest first. */
  readonly requests: string[] = [];
  answer: Answer = answer("200 OK", recordedPods("kubelet-pods.json"));
  /** Answers for single paths, in place of `answer`. */
  readonly answers = new Map<string, Answer>([["/configz", answer("200 OK", recordedConfig())]]);
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(folder: string, server: Server) {
    this.folder = folder;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (connection: Socket) => {
      this.#connections.add(connection.on("close", () => this.#connections.delete(connection)));
    });
    onRequest(server, (head, socket) => {
      this.requests.push(head);
      const [, path = ""] = head.split(" ");
      (this.answers.get(path) ?? this.answer)(socket);
    });
  }

  /** Creates certificates and listens on 127.0.0.1. */
  static async start(): Promise<FakeKubelet> {
    const folder = mkdtempSync(`${tmpdir()}/wasp-kubelet-`);
    await makeCertificates(folder, "kubelet", `DNS:${KUBELET_NAME}`);
    return new FakeKubelet(folder, await listen(folder, "kubelet", "127.0.0.1"));
  }

  /** Stops as a process does: its connections end, and others are refused. */
  goDown(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
  }

  /** Listens again on the same port. */
  async comeUp(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.port, "127.0.0.1", resolve));
  }

  /** Writes a file next to the certificates `ca.pem`, `kubelet.pem` and `other.pem`; returns its path. */
  write(name: string, text: string): string {
    writeFileSync(`${this.folder}/${name}`, text);
    return `${this.folder}/${name}`;
  }

  [Symbol.dispose](): void {
    this.goDown();
    rmSync(this.folder, { recursive: true });
  }
}
