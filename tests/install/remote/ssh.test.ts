import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { runIn } from "./run-in-sandbox.ts";
import { SshSandbox } from "./ssh-sandbox.ts";

test("ssh gets options against unknown host keys and prompts", async () => {
  await using sandbox = await SshSandbox.make({ node1: {} });
  await runIn(sandbox, ["node1"]);
  const options = await readFile(`${sandbox.host("node1")}/options`, "utf8");
  for (const option of ["StrictHostKeyChecking=yes", "BatchMode=yes", "ConnectTimeout=10"])
    expect(options).toContain(`-o ${option}`);
});
