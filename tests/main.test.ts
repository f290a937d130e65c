import { describe, expect, test } from "bun:test";
import { version } from "../package.json";
import { ROOT, wasp } from "./node/binary.ts";

const screen = (name: string) => Bun.file(`${ROOT}/tests/golden/${name}.txt`).text();

describe("wasp", () => {
  test.each([["--help"], ["-h"], []])("shows its commands: %j", async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await wasp(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    // The commit is another one with every build.
    expect(stdout.replace(/v\d.*\)\)/, "VERSION)")).toBe(await screen("help"));
  });

  test.each(["hook", "agent", "install", "uninstall", "nri", "trace", "trace record", "trace replay"])(
    "shows the flags of %s",
    async (command) => {
      const { stdout } = await wasp([...command.split(" "), "--help"]);
      const golden = `${command.replace(" ", "-")}-help`;
      expect(stdout.replace(/v\d.*\)\)/, "VERSION)")).toBe(await screen(golden));
    },
  );

  test("shows the commands of trace where none is named", async () => {
    expect(await wasp(["trace"])).toEqual(await wasp(["trace", "--help"]));
  });

  test("names its version and commit", async () => {
    const { exitCode, stdout } = await wasp(["--version"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^wasp ${version} \\(([0-9a-f]{12}(, modified)?|unknown commit)\\)\n$`),
    );
  });

  test.each([
    [
      "hok",
      "unknown command hok: the commands are hook, agent, install, uninstall, nri, trace; see wasp --help",
    ],
    [
      "--verson",
      "unknown flag --verson: the commands are hook, agent, install, uninstall, nri, trace; see wasp --help",
    ],
  ])("refuses %s", async (word, message) => {
    const { exitCode, stdout, stderr } = await wasp([word]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe("a root binary takes nothing from where it is started", () => {
  test("not the environment's runtime options", async () => {
    const { stdout } = await wasp(["--version"], "ignore", { BUN_OPTIONS: "--print 666" });
    expect(stdout).toStartWith("wasp ");
  });

  test("not the working directory's .env and bunfig.toml", async () => {
    const folder = (await Bun.$`mktemp --directory`.text()).trim();
    await Bun.write(`${folder}/bunfig.toml`, 'preload = ["./evil.ts"]\n');
    await Bun.write(`${folder}/evil.ts`, 'console.log("evil");\n');
    await Bun.write(`${folder}/.env`, "BUN_JSC_useJIT=0\nWASP_VERSION=evil\n");
    const { stdout } = await Bun.$`${ROOT}/dist/wasp --version`.cwd(folder).env({}).quiet();
    await Bun.$`rm -r ${folder}`;
    expect(stdout.toString()).toStartWith(`wasp ${version} `);
  });
});
