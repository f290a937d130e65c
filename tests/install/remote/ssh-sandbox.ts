import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A host of the sandbox; an undefined field is as on a host without faults. */
export interface SandboxHost {
  /** Script that ssh runs instead of connecting. */
  readonly ssh?: string;
  /** Profile of the login shell. */
  readonly profile?: string;
  /** Programs of the host as scripts, in the first folder of its PATH. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Script that wasp runs on the host. */
  readonly wasp?: string;
}

/** Hosts as folders, and an ssh that runs commands in them. */
export class SshSandbox implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Creates a sandbox with hosts by name. */
  static async make(hosts: Readonly<Record<string, SandboxHost>>): Promise<SshSandbox> {
    const sandbox = new SshSandbox(await mkdtemp(join(tmpdir(), "wasp-ssh-")));
    await script(sandbox.ssh, FAKE_SSH);
    await script(sandbox.program, FAKE_WASP);
    for (const [name, host] of Object.entries(hosts)) await sandbox.#addHost(name, host);
    return sandbox;
  }

  /** Path of the ssh for these hosts. */
  get ssh(): string {
    return join(this.folder, "ssh");
  }

  /** Path of the stand-in for the executable, which runs the script of its host. */
  get program(): string {
    return join(this.folder, "wasp");
  }

  /** Returns the folder of a host. */
  host(name: string): string {
    return join(this.folder, "hosts", name);
  }

  /** Returns the copies of wasp that are left on all hosts. */
  async copies(): Promise<string[]> {
    const names = await readdir(this.folder, { recursive: true });
    return names.filter((name) => /\/\.wasp-ssh-[\w-]+$/.test(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  async #addHost(name: string, { ssh, profile, programs = {}, wasp }: SandboxHost): Promise<void> {
    const folder = this.host(name);
    await mkdir(join(folder, "bin"), { recursive: true });
    await mkdir(join(folder, "lib"));
    if (ssh !== undefined) await writeFile(join(folder, "ssh"), ssh);
    if (wasp !== undefined) await writeFile(join(folder, "wasp-does"), wasp);
    await writeFile(join(folder, "profile"), profile ?? "");
    for (const [program, text] of Object.entries(programs)) await script(join(folder, "bin", program), text);
  }
}

async function script(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}

// The remote side has a session of its own: as over a network, it notices the end of ssh only by the end of its input.
const FAKE_SSH = `
here=$(dirname "$0")
options=
while [ "$1" != -- ]; do options="$options $1"; shift; done
cd "$here/hosts/$2" || { echo "ssh: Could not resolve hostname $2: Name or service not known" >&2; exit 255; }
echo "$options" > options
[ ! -f ssh ] || { . ./ssh; exit; }
mkfifo input
exec 3<&0
cat <&3 > input 2> /dev/null & cat=$!
trap 'kill "$cat"; exit 255' TERM
PATH=$PWD/bin:$PATH setsid --wait sh -c ". ./profile; $3" < input 3<&- &
wait "$!"; status=$?
kill "$cat"
exit "$status"`;

const FAKE_WASP = `
[ ! -f wasp-does ] || . ./wasp-does
echo "arguments: $*"`;
