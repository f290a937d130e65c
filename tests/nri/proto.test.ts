import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { scripts } from "../../package.json";

const ROOT = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(`${tmpdir()}/wasp-proto-`);
afterAll(() => rmSync(folder, { recursive: true }));

test("the generated files match the descriptions", async () => {
  const rooms = ["src/nri", "tests/vm"];
  for (const room of rooms) mkdirSync(`${folder}/${room}`, { recursive: true });
  const command = scripts.proto.replaceAll("--es_out=", `--es_out=${folder}/`);
  await $`sh -c ${command}`.cwd(ROOT).quiet();
  const generated = rooms.flatMap((room) => generatedIn(folder, room));
  expect(generated).toEqual(["src/nri/api_pb.ts", "src/nri/ttrpc_pb.ts", "tests/vm/cri_pb.ts"]);
  expect(rooms.flatMap((room) => generatedIn(ROOT, room))).toEqual(generated);
  for (const file of generated)
    expect(readFileSync(`${folder}/${file}`, "utf8")).toBe(readFileSync(`${ROOT}/${file}`, "utf8"));
});

function generatedIn(root: string, room: string): string[] {
  const files = readdirSync(`${root}/${room}`).filter((name) => name.endsWith("_pb.ts"));
  return files.sort().map((name) => `${room}/${name}`);
}
