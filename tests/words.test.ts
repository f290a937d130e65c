/** Holds docstrings and texts to plain technical English: docstrings begin with a verb or a noun, and some words never occur. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Glob } from "bun";
import { ROOT } from "./node/binary.ts";

const QUESTION = /^(What|Who|Whose|Whom|Whether|How|Why|Where|Which|When|That)\b/;
const BANNED = new Set([
  ...["tell", "tells", "told", "telling", "heed", "heeds", "heeded", "heeding"],
  ...["anew", "whoever", "whomever", "whatsoever", "thereof", "hitherto"],
]);
const DOCUMENTS = ["CONTRIBUTING.md", "README.md", "SECURITY.md", "build.ts"];
// Generated code, recordings of other programs, and output that src already answers for.
const IS_FOREIGN = /_pb\.ts$|^tests\/(fixtures|golden)\//;

/** Text that keeps the rules: whole, or only its docstrings. */
type Scope = "text" | "docstrings";

const ROOMS: readonly [string, readonly string[], Scope][] = [
  ["documents", DOCUMENTS, "text"],
  ["manifests", filesIn("manifests/**/*.{json,md,ts,yaml}"), "text"],
  ...roomsOf("src", "text"),
  ...roomsOf("tests", "docstrings"),
];

function roomsOf(folder: string, scope: Scope): [string, string[], Scope][] {
  const folders = readdirSync(`${ROOT}/${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);
  const own: [string, string[], Scope] = [folder, filesIn(`${folder}/*.ts`), scope];
  const rooms = folders.map((room): [string, string[], Scope] => [room, filesIn(`${room}/**/*.ts`), scope]);
  return [own, ...rooms].filter(([, files]) => files.length > 0);
}

function filesIn(pattern: string): string[] {
  return [...new Glob(pattern).scanSync(ROOT)].filter((file) => !IS_FOREIGN.test(file)).sort();
}

/** Docstring without its stars, and the line that it begins in. */
interface Docstring {
  readonly line: number;
  readonly text: string;
}

function docstringsIn(text: string): Docstring[] {
  return [...text.matchAll(/^[ \t]*\/\*\*(.*?)\*\//gms)].map(({ index, 1: body = "" }) => ({
    line: lineAt(text, index),
    text: body.replace(/^[ \t]*\*/gm, ""),
  }));
}

/** Returns the violations in a file's text, as `file:line: complaint`. */
function violationsIn(file: string, text: string, scope: Scope): string[] {
  const docstrings = file.endsWith(".ts") ? docstringsIn(text) : [];
  const questions = docstrings.flatMap(({ line, text }) => {
    const [question] = QUESTION.exec(text.trim()) ?? [];
    return question === undefined ? [] : `${file}:${line}: a docstring begins with "${question}"`;
  });
  const prose = scope === "text" ? [{ line: 1, text }] : docstrings;
  return [...questions, ...prose.flatMap((part) => bannedIn(file, part))];
}

function bannedIn(file: string, { line, text }: Docstring): string[] {
  // Of an identifier, each word on its own.
  const words = [...text.matchAll(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g)];
  return words
    .filter(([word]) => BANNED.has(word.toLowerCase()))
    .map(({ 0: word, index }) => `${file}:${line + lineAt(text, index) - 1}: "${word}"`);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

describe("plain English", () => {
  test.each(ROOMS)("in %s", (_, files, scope) => {
    expect(
      files.flatMap((file) => violationsIn(file, readFileSync(`${ROOT}/${file}`, "utf8"), scope)),
    ).toEqual([]);
  });

  test("is held in every room", () => {
    const rooms = ROOMS.map(([name]) => name);
    expect(rooms).toEqual(expect.arrayContaining(["src", "src/policy", "src/install", "tests", "tests/vm"]));
    for (const [room, files] of ROOMS) expect([room, files.length]).not.toEqual([room, 0]);
  });
});

describe("a violation is found", () => {
  const planted = [
    "/** What it does. */",
    "/**",
    " * Returns what it tells,",
    " * anew.",
    " */",
    "// Whoever calls.",
    'const toldTwice = reportTold("untold intelligence");',
    "",
  ].join("\n");
  const inDocstrings = ['a.ts:1: a docstring begins with "What"', 'a.ts:3: "tells"', 'a.ts:4: "anew"'];
  const inCode = ['a.ts:6: "Whoever"', 'a.ts:7: "told"', 'a.ts:7: "Told"'];

  test("in docstrings alone", () => {
    expect(violationsIn("a.ts", planted, "docstrings")).toEqual(inDocstrings);
  });

  test("in comments, identifiers and strings too", () => {
    expect(violationsIn("a.ts", planted, "text")).toEqual([...inDocstrings, ...inCode]);
  });

  test("in prose, where no docstring is", () => {
    expect(violationsIn("a.md", "/** What it says. */\n\nIt tells.\n", "text")).toEqual(['a.md:3: "tells"']);
  });

  test("and nothing where there is none", () => {
    const clean = '/** Returns the limit. */\nconst glob = "tests/**/*.ts"; // Which is what it does. */\n';
    expect(violationsIn("a.ts", clean, "text")).toEqual([]);
  });
});
