import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Glob } from "bun";
import { scripts } from "../package.json";
import { ROOT } from "./node/binary.ts";

const DOCUMENTS = [
  "CONTRIBUTING.md",
  "README.md",
  "SECURITY.md",
  ...readdirSync(`${ROOT}/manifests/monitoring/runbooks`).map(
    (file) => `manifests/monitoring/runbooks/${file}`,
  ),
];
const FOLDERS = ["hooks.d", "manifests", "src", "tests"];

/** Returns the paths and patterns of this repository that a text names, and the targets of its links. */
function pathsIn(text: string): string[] {
  const inFolders = text.matchAll(new RegExp(`(?<![\\w./-])(?:${FOLDERS.join("|")})/[\\w./*-]*`, "g"));
  const links = text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g);
  const paths = [...inFolders].map(([path]) => path.replace(/\.$/, ""));
  return [...new Set([...paths, ...[...links].map(([, target = ""]) => target)])];
}

/** Returns the names of npm scripts that a text names. */
function scriptsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name))];
}

function isThere(path: string): boolean {
  if (!path.includes("*")) return existsSync(`${ROOT}/${path}`);
  return !new Glob(path).scanSync(ROOT).next().done;
}

describe.each(DOCUMENTS)("%s", (file) => {
  const text = readFileSync(`${ROOT}/${file}`, "utf8");

  test("names existing files and folders", () => {
    expect(pathsIn(text).filter((path) => !isThere(path))).toEqual([]);
  });

  test("names existing scripts of package.json", () => {
    expect(scriptsIn(text).filter((name) => !(name in scripts))).toEqual([]);
  });
});

test("a text's paths, links and scripts are found", () => {
  const text =
    "See `src/gone.ts`, tests/*_gone.ts and [this](GONE.md). Not https://a.b/src/x, my-src/y or $DIR/src/z.\n";
  expect(pathsIn(text)).toEqual(["src/gone.ts", "tests/*_gone.ts", "GONE.md"]);
  expect(pathsIn(text).filter(isThere)).toEqual([]);
  expect(["src/main.ts", "src/nri/*_pb.ts", "LICENSE"].filter(isThere)).toHaveLength(3);
  expect(scriptsIn("`npm run bench:nri`, npm run gone")).toEqual(["bench:nri", "gone"]);
});

test("the README's table has every reason for which no pod is evicted", () => {
  const reasons = ["decide.ts", "harm.ts"].flatMap((file) => {
    const source = readFileSync(`${ROOT}/src/policy/eviction/${file}`, "utf8");
    const [, union = ""] = /^export type (?:EvictionHoldReason|HarmExcuse) =\n(.*?);\n/ms.exec(source) ?? [];
    return [...union.matchAll(/^ {2}\| "([a-z-]+)"/gm)].map(([, reason = ""]) => reason);
  });
  const readme = readFileSync(`${ROOT}/README.md`, "utf8");
  const [, table = ""] = /^\| reason to hold .*?\n(.*?)\n\n/ms.exec(readme) ?? [];
  expect(reasons.length).toBeGreaterThan(15);
  expect(reasons.filter((reason) => !table.includes(`\`${reason}\``))).toEqual([]);
});

test("the map names files of every folder of src", () => {
  const map = pathsIn(readFileSync(`${ROOT}/CONTRIBUTING.md`, "utf8"));
  const rooms = readdirSync(`${ROOT}/src`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const missing = rooms
    .map(({ name }) => `src/${name}/`)
    .filter((room) => !map.some((path) => path.startsWith(room)));
  expect(missing).toEqual([]);
});
