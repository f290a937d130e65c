import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archOf, findExecutable } from "../../../src/install/remote/executables.ts";

let folder: string;
const at = (name: string) => join(folder, name);

/** Returns the beginning of an ELF file for a machine number. */
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

  test("the running one, for its own architecture", () => {
    expect(findExecutable("x64", places())).toBe(at("wasp"));
  });

  test("the one in the same folder, for another architecture", () => {
    expect(findExecutable("arm64", places())).toBe(at("wasp-arm64"));
  });

  test("the one that a flag names, in preference to both", () => {
    expect(findExecutable("x64", { ...places(), given: { x64: at("other") } })).toBe(at("other"));
  });

  test("refused if it is missing or for another architecture", () => {
    const onArm64 = { executable: at("wasp-arm64"), executableArch: "arm64", given: {} };
    expect(() => findExecutable("x64", onArm64)).toThrow(
      `no wasp executable for x64: put it at ${at("wasp-x64")}, or pass its path with --program-x64`,
    );
    for (const name of ["wasp", "text"])
      expect(() => findExecutable("arm64", { ...places(), given: { arm64: at(name) } })).toThrow(
        `${at(name)} is not an executable for arm64`,
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
