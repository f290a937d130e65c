import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { TraceOutput } from "../../src/trace/output.ts";

const NEVER = new AbortController().signal;

/** Temporary directory. */
class Folder implements Disposable {
  readonly path = mkdtempSync(`${tmpdir()}/wasp-trace-`);
  readonly file = `${this.path}/node.jsonl`;

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

describe("the file of a recording", () => {
  test("is readable by its owner alone, and has the written text", async () => {
    using folder = new Folder();
    using output = TraceOutput.file(folder.file, 100, false);
    expect(await output.write("one\n", NEVER)).toBe("written");
    expect(await output.write("zwölf\n", NEVER)).toBe("written");
    expect(readFileSync(folder.file, "utf8")).toBe("one\nzwölf\n");
    expect(output.writtenBytes).toBe(11);
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  test("takes nothing of a text that exceeds the maximum size", async () => {
    using folder = new Folder();
    using output = TraceOutput.file(folder.file, 7, false);
    expect(await output.write("one\n", NEVER)).toBe("written");
    expect(await output.write("two\n", NEVER)).toBe("full");
    expect(await output.write("no\n", NEVER)).toBe("written");
    expect(readFileSync(folder.file, "utf8")).toBe("one\nno\n");
  });

  test("is not an existing one, unless that may be replaced", async () => {
    using folder = new Folder();
    writeFileSync(folder.file, "precious");
    chmodSync(folder.file, 0o644);
    expect(() => TraceOutput.file(folder.file, 100, false)).toThrow(
      `--output: ${folder.file} exists already; --force replaces it`,
    );
    expect(readFileSync(folder.file, "utf8")).toBe("precious");
    using output = TraceOutput.file(folder.file, 100, true);
    await output.write("new\n", NEVER);
    expect(readFileSync(folder.file, "utf8")).toBe("new\n");
    expect(statSync(folder.file).mode & 0o777).toBe(0o600);
  });

  test("is not the target of a link", async () => {
    using folder = new Folder();
    writeFileSync(`${folder.path}/elsewhere`, "precious");
    symlinkSync("elsewhere", folder.file);
    using output = TraceOutput.file(folder.file, 100, true);
    await output.write("new\n", NEVER);
    expect(readFileSync(`${folder.path}/elsewhere`, "utf8")).toBe("precious");
  });

  test("replaces no directory and no device", () => {
    using folder = new Folder();
    for (const path of [folder.path, "/dev/null"])
      expect(() => TraceOutput.file(path, 100, true)).toThrow(
        `${path} is not a file, so --force does not replace it`,
      );
  });

  test.if(statSync("/dev/full", { throwIfNoEntry: false }) !== undefined)("reports a full disk", () => {
    const program = `
      import { TraceOutput } from "${import.meta.dir}/../../src/trace/output.ts";
      await TraceOutput.stdout(100).write("one", new AbortController().signal);`;
    const { stderr } = Bun.spawnSync(["sh", "-c", '"$0" -e "$1" > /dev/full', process.execPath, program]);
    expect(stderr.toString()).toContain("the recording cannot be written: ENOSPC");
  });
});
