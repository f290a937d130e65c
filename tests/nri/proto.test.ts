import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { $ } from "bun";
import { scripts } from "../../package.json";

const ROOT = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(`${tmpdir()}/wasp-proto-`);
afterAll(() => rmSync(folder, { recursive: true }));

test("what is generated is what the descriptions say", async () => {
  const command = scripts.proto.replace("--es_out=src/nri ", `--es_out=${folder} `);
  await $`sh -c ${command}`.cwd(ROOT).quiet();
  const generated = readdirSync(folder).sort();
  expect(generated).toEqual(["api_pb.ts", "ttrpc_pb.ts"]);
  expect(
    readdirSync(`${ROOT}/src/nri`)
      .filter((name) => name.endsWith("_pb.ts"))
      .sort(),
  ).toEqual(generated);
  for (const name of generated)
    expect(readFileSync(`${folder}/${name}`, "utf8")).toBe(readFileSync(`${ROOT}/src/nri/${name}`, "utf8"));
});
