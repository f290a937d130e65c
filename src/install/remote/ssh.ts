import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";

/** A running ssh: its three streams are those of the command on the host. */
export type Ssh = ChildProcessByStdio<Writable, Readable, Readable>;

/** What ssh exits with for a fault of its own. */
export const SSH_FAILED = 255;

/** Whom to connect to, and how. */
export interface Connection {
  /** The program. */
  readonly ssh: string;
  readonly destination: string;
  /** What the host's login shell runs. */
  readonly command: string;
  readonly connectSeconds: number;
}

/** Starts ssh. That it cannot be started is told as its error, as that of any child. */
export function connect({ ssh, destination, command, connectSeconds }: Connection): Ssh {
  return spawn(ssh, [...optionsOf(connectSeconds), "--", destination, command], {
    stdio: ["pipe", "pipe", "pipe"],
    // Away from the terminal: the ssh of a jump host would ask there, and Ctrl-C is for us to pass on.
    detached: true,
    env: { ...process.env, SSH_ASKPASS_REQUIRE: "never" },
  });
}

// They win over the user's configuration, which holds for all else.
function optionsOf(connectSeconds: number): string[] {
  const options = {
    // Nobody is there to be asked, and nothing is taken on trust.
    BatchMode: "yes",
    StrictHostKeyChecking: "yes",
    ConnectTimeout: connectSeconds,
    ServerAliveInterval: 15,
    ServerAliveCountMax: 4,
    // A connection that is open already is used; a new one would outlive its session, and keep its output open.
    ControlMaster: "no",
    // Two sessions cannot listen on one port, and no host needs any of these.
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    ForwardX11: "no",
    PermitLocalCommand: "no",
    RemoteCommand: "none",
    RequestTTY: "no",
  };
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

// Between asking a process to end and ending it, and between its end and that of what it left behind.
const GRACE_MILLISECONDS = 5000;

/** Waits until ssh has ended and all that it wrote is read, and tells its exit status; null where it has none. */
export async function ended(ssh: Ssh): Promise<number | null> {
  return await new Promise((resolve) => {
    ssh.once("close", resolve);
    ssh.once("exit", (code) => {
      // What it left behind may keep its output open.
      const timer = setTimeout(() => {
        ssh.stdout.destroy();
        ssh.stderr.destroy();
        resolve(code);
      }, GRACE_MILLISECONDS);
      ssh.once("close", () => clearTimeout(timer));
    });
  });
}

/** Tells ssh to end, and ends it and all that it has started if it does not. */
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
    // It is gone.
  }
}
