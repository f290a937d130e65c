import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** A running ssh process; its three streams are those of the command on the host. */
export type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** Exit code of ssh for an error of its own. */
export const SSH_FAILED = 255;

/** Parameters of a connection. */
export interface Connection {
  /** Path of the ssh program. */
  readonly ssh: string;
  readonly destination: string;
  /** Command line for the login shell. */
  readonly command: string;
  readonly connectSeconds: number;
}

/** Starts ssh. If it cannot be started, the process emits an error event. */
export function connect({ ssh, destination, command, connectSeconds }: Connection): Ssh {
  return spawn(ssh, [...optionsOf(connectSeconds), "--", destination, command], {
    stdio: ["pipe", "pipe", "pipe"],
    // Without the terminal: the ssh of a jump host would prompt there, and Ctrl-C has to reach this process alone.
    detached: true,
    env: { ...process.env, SSH_ASKPASS_REQUIRE: "never" },
  });
}

// Options on the command line override the user's configuration, which applies to everything else.
function optionsOf(connectSeconds: number): string[] {
  const options = {
    // No prompts, and no unknown host keys.
    BatchMode: "yes",
    StrictHostKeyChecking: "yes",
    ConnectTimeout: connectSeconds,
    ServerAliveInterval: 15,
    ServerAliveCountMax: 4,
    // An existing master connection is used. A new one would outlive its session and keep its output open.
    ControlMaster: "no",
    // Two sessions cannot listen on one port, and none of these is needed.
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    ForwardX11: "no",
    PermitLocalCommand: "no",
    RemoteCommand: "none",
    RequestTTY: "no",
  };
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

// Between SIGTERM and SIGKILL, and between the exit of ssh and the end of its output.
const GRACE_MILLISECONDS = 5000;

/** Waits until ssh has exited and its output is read, and returns its exit code; null if a signal ended it. */
export async function ended(ssh: Ssh): Promise<number | null> {
  return await new Promise((resolve) => {
    ssh.once("close", resolve);
    ssh.once("exit", (code) => {
      // A process that it left behind may keep its output open.
      const timer = setTimeout(() => {
        ssh.stdout.destroy();
        ssh.stderr.destroy();
        resolve(code);
      }, GRACE_MILLISECONDS);
      ssh.once("close", () => clearTimeout(timer));
    });
  });
}

/** Sends SIGTERM to ssh; if it does not exit in time, kills it and its process group. */
export function terminate(ssh: Ssh): void {
  ssh.kill("SIGTERM");
  const timer = setTimeout(() => killGroup(ssh), GRACE_MILLISECONDS);
  ssh.once("exit", () => clearTimeout(timer));
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The group has exited already.
  }
}
