import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { FakeRuntime } from "./fake-runtime.ts";

const folder = mkdtempSync(`${tmpdir()}/wasp-nri-`);
afterAll(() => rmSync(folder, { recursive: true }));

// Connects, and passes the socket to a program as descriptor 3, as a runtime does with a plugin that it starts.
const HAND_OVER = `
  use IO::Socket::UNIX; use POSIX ();
  $^F = 3; # Descriptors up to here are left open.
  my $socket = IO::Socket::UNIX->new(shift @ARGV) or die $!;
  POSIX::dup2(fileno($socket), 3);
  exec @ARGV or die $!;`;

test("a plugin that the runtime started uses the inherited descriptor, and ends with its connection", async () => {
  using runtime = await FakeRuntime.listen(`${folder}/runtime.sock`);
  const program = [process.execPath, `${import.meta.dir}/inherited.ts`];
  await using plugin = Bun.spawn(["perl", "-e", HAND_OVER, runtime.path, ...program], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const side = await runtime.connection();
  expect(await side.registered).toMatchObject({ pluginName: "inherited", pluginIdx: "42" });
  await side.begin();
  // More than fits into the socket's buffer.
  const { adjust } = await side.call("createContainer", { pod: { id: "p" }, container: { id: "c" } });
  expect(adjust?.linux?.resources?.unified["memory.high"]).toHaveLength(3_000_000);
  side.close();
  expect(JSON.parse(await plugin.stdout.text())).toMatchObject({ kind: "disconnected" });
  expect(await plugin.exited).toBe(0);
  expect(runtime.connections).toBe(1);
});

test("an invalid descriptor ends the plugin", async () => {
  await using plugin = Bun.spawn([process.execPath, `${import.meta.dir}/inherited.ts`], { stdout: "pipe" });
  const end = JSON.parse(await plugin.stdout.text());
  expect(end).toMatchObject({ kind: "unreachable" });
  expect(end.reason).toStartWith("file descriptor 3: ");
});
