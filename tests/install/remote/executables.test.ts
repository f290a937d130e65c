import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archOf, findProgram } from "../../../src/install/remote/executables.ts";

let folder: string;
const at = (name: string) => join(folder, name);

/** The beginning of an ELF file for a machine, by its number. */
function elf(machine: number): Uint8Array {
  const header = Buffer.alloc(64);
  header.write("\x7fELF", "latin1");
  header.writeUInt16LE(machine, 18);
  return header;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "wasp-programs-"));
  for (const [name, machine] of Object.entries({ wasp: 62, "wasp-arm64": 183, other: 62 }))
    await writeFile(at(name), elf(machine));
  await writeFile(at("text"), "#!/bin/sh\n");
});

afterAll(() => rm(folder, { recursive: true }));

describe("the executable for a host is", () => {
  const places = () => ({ executable: at("wasp"), executableArch: "x64", given: {} });

  test("the one that runs, for its own architecture", () => {
    expect(findProgram("x64", places())).toBe(at("wasp"));
  });

  test("the one beside it, for another", () => {
    expect(findProgram("arm64", places())).toBe(at("wasp-arm64"));
  });

  test("the one that a flag names, before both", () => {
    expect(findProgram("x64", { ...places(), given: { x64: at("other") } })).toBe(at("other"));
  });

  test("refused where it is not there, or for something else", () => {
    const onArm64 = { executable: at("wasp-arm64"), executableArch: "arm64", given: {} };
    expect(() => findProgram("x64", onArm64)).toThrow(
      `there is no wasp for x64 here: put it at ${at("wasp-x64")}, or name it with --program-x64`,
    );
    for (const name of ["wasp", "text"])
      expect(() => findProgram("arm64", { ...places(), given: { arm64: at(name) } })).toThrow(
        `${at(name)} is no executable for arm64`,
      );
  });
});

test.each([
  ["x86_64", "x64"],
  ["aarch64", "arm64"],
  ["riscv64", undefined],
  ["constructor", undefined],
] as const)("uname's %s is %p", (machine, arch) => {
  expect(archOf(machine)).toBe(arch);
});
