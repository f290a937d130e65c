import { describe, expect, test } from "bun:test";
import { areAllDone } from "../../../src/install/remote/report.ts";
import { failing, runOn } from "./run-in-sandbox.ts";
import type { SandboxHost } from "./ssh-sandbox.ts";

describe("a host fails", () => {
  const table: readonly (readonly [string, SandboxHost, string])[] = [
    [
      "that refuses the connection",
      { ssh: failing("ssh: connect to host node1 port 22: Connection refused") },
      "no connection: ssh: connect to host node1 port 22: Connection refused",
    ],
    [
      "with an unknown host key",
      { ssh: failing("No ED25519 host key is known for node1\nHost key verification failed.") },
      "its host key is unknown: run ssh node1 once and compare the fingerprint, or compare the output of ssh-keyscan and " +
        "add it to known_hosts",
    ],
    [
      "with an unknown type of host key",
      { ssh: failing("Host key verification failed.") },
      "its host key is unknown: run ssh node1 once and compare the fingerprint, or compare the output of ssh-keyscan and " +
        "add it to known_hosts",
    ],
    [
      "with a changed host key",
      { ssh: failing("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.") },
      "its host key has changed, which may be a man-in-the-middle attack: compare the fingerprint on the host's " +
        "console; if it matches, remove the old key with ssh-keygen -R",
    ],
    [
      "that rejects all keys",
      { ssh: failing("root@node1: Permission denied (publickey,password).") },
      "it rejected all offered keys: root@node1: Permission denied (publickey,password): configure another key for it in " +
        "the ssh configuration, or add one to ssh-agent",
    ],
    [
      "with an account that allows no commands",
      { ssh: "echo This service allows sftp connections only.; exit 1" },
      "its login shell exited with status 1 without running the command: This service allows sftp connections only",
    ],
    [
      "with a login shell that does nothing",
      { ssh: "exit 0" },
      "its login shell exited with status 0 without running the command",
    ],
    [
      "with an architecture that wasp is not built for",
      { programs: { uname: "echo riscv64" } },
      "its architecture is riscv64: wasp is built for x64 and arm64",
    ],
    [
      "with a full disk",
      { programs: { head: "echo head: write error: No space left on device >&2; exit 1" } },
      "wasp could not be copied to the host: head: write error: No space left on device",
    ],
    [
      "that receives a corrupt copy",
      { programs: { head: 'busybox head "$@" | tr e a' } },
      "wasp could not be copied to the host: the copy of wasp is corrupt: its digest differs",
    ],
    [
      "on which wasp fails",
      { wasp: "echo swap: the disk is full >&2; exit 1" },
      "wasp exited with status 1: swap: the disk is full",
    ],
    [
      "on which wasp fails, with a second error for the consequences",
      {
        wasp: "echo binary; printf '\\n ERROR  the disk is full\\n\\n ERROR  nothing was changed\\n\\n' >&2; exit 1",
      },
      "wasp exited with status 1: the disk is full",
    ],
    [
      "whose check finds an error",
      { wasp: "echo '1 error, 0 warnings'; echo; echo 'error  swap  none'; exit 1" },
      "wasp exited with status 1: 1 error, 0 warnings",
    ],
    [
      "whose check finds warnings, as JSON",
      { wasp: "echo '{'; echo '  \"findings\": []'; echo '}'; exit 3" },
      "wasp exited with status 3",
    ],
    [
      "that loses the connection while wasp is running",
      { wasp: "echo client_loop: send disconnect: Broken pipe >&2; exit 255" },
      "the connection was lost while wasp was running, so its work may be incomplete: run it again: client_loop: send " +
        "disconnect: Broken pipe",
    ],
    [
      "whose ssh leaves a process behind that keeps the output open",
      { ssh: "sleep 20 & echo Connection reset >&2; exit 255" },
      "no connection: Connection reset",
    ],
  ];

  test.each(table)("%s", async (_, host, reason) => {
    const { outcomes, copies } = await runOn({ node1: host });
    expect(outcomes).toMatchObject([{ host: "node1", result: "failed", reason }]);
    expect(areAllDone(outcomes)).toBe(false);
    expect(copies).toEqual([]);
  });
});
