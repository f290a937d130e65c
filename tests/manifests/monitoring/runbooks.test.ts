/** Checks that everything that the runbooks name exists. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { Glob } from "bun";
import { parse } from "yaml";
import { ROOT } from "../../node/binary.ts";
import { build, COMPONENTS, find, MANIFESTS } from "../kustomize.ts";
import { EXPORTED, found } from "./exported.ts";
import { selectorsOf } from "./expression.ts";
import { MONITORING, RULES } from "./rules.ts";
import { expressionsOf, RUNBOOKS, type Runbook } from "./runbooks.ts";

const golden = (name: string) => readFileSync(`${ROOT}/tests/golden/${name}.txt`, "utf8");
const HELP: Readonly<Record<string, string>> = {
  wasp: golden("help"),
  "wasp agent": golden("agent-help"),
  "wasp hook": golden("hook-help"),
  "wasp install": golden("install-help"),
  "wasp trace record": golden("trace-record-help"),
  "wasp trace replay": golden("trace-replay-help"),
};
const OTHER_COMMANDS = ["cat", "grep", "journalctl", "kubectl", "ls"];
const KNOBS = Object.keys(parse(golden("print-config")));
const ALERTS = RULES.map(({ alert }) => alert);
const sources = [...new Glob("**/*.ts").scanSync(`${ROOT}/src`)];
const SOURCE = sources.map((file) => readFileSync(`${ROOT}/src/${file}`, "utf8")).join("\n");

test("each alert has a runbook, and each runbook an alert", () => {
  expect(readdirSync(`${MONITORING}/runbooks`).sort()).toEqual(ALERTS.map((alert) => `${alert}.md`).sort());
});

describe.each(RUNBOOKS)("$alert", (runbook) => {
  const { alert, text } = runbook;

  test("has the sections Meaning, Impact, Diagnosis and Mitigation", () => {
    expect([...text.matchAll(/^#+ .*/gm)].map(([heading]) => heading)).toEqual([
      `# ${alert}`,
      ...["Meaning", "Impact", "Diagnosis", "Mitigation"].map((section) => `## ${section}`),
    ]);
  });

  test("names existing commands and flags", () => {
    expect(commandsOf(runbook)).not.toBeEmpty();
    for (const command of commandsOf(runbook))
      expect({ command, is: complaintAbout(command) }).toEqual({ command, is: undefined });
  });

  test("names metrics, with labels, that the agent or node_exporter exposes", () => {
    for (const expression of expressionsOf(runbook))
      for (const selector of selectorsOf(expression))
        expect({ selector, isThere: found(selector).length > 0 }).toEqual({ selector, isThere: true });
    for (const span of spansOf(runbook).filter((each) => /^(wasp|node)_\w+$/.test(each)))
      expect(EXPORTED.map(({ metric }) => metric)).toContain(span);
  });

  test("names existing log events, reasons, knobs and components", () => {
    for (const span of spansOf(runbook)) {
      const [word = "", value] = span.split(": ");
      if (/^[a-z]+(-[a-z]+)+$/.test(span))
        expect({ span, isThere: SOURCE.includes(`"${span}"`) }).toEqual({ span, isThere: true });
      if (/^[A-Z][a-z]+([A-Z][a-z]+)*$/.test(span) && !ALERTS.includes(span))
        expect({ span, isThere: SOURCE.includes(`"${span}"`) }).toEqual({ span, isThere: true });
      if (/^[a-z]+([A-Z][a-z]+)+$/.test(word) && !OF_OTHERS.includes(word)) {
        expect(KNOBS).toContain(word);
        if (value !== undefined) expect(SOURCE).toContain(`"${value}"`);
      }
      if (span.startsWith("components/")) expect(COMPONENTS).toContain(span);
    }
  });

  test("names existing objects of the manifests", () => {
    const { name } = find(build(), "Namespace").metadata;
    for (const [, namespace] of text.matchAll(/--namespace (\S+)/g)) expect(namespace).toBe(name);
    for (const [, daemonSet] of text.matchAll(/daemonset (\S+)/g))
      expect(find(build(), "DaemonSet", daemonSet)).toBeDefined();
    for (const [, reason] of text.matchAll(/reason=(\w+)/g)) expect(SOURCE).toContain(`"${reason}"`);
    for (const [, file] of text.matchAll(/hooks\.d\/([\w-]+\.json)/g))
      expect(readdirSync(`${MANIFESTS}/../hooks.d`)).toContain(file ?? "");
  });
});

// Fields of the kubelet, of Kubernetes and of the log.
const OF_OTHERS = ["swapBehavior", "maxUnavailable", "beforeBytes"];

function commandsOf({ text }: Runbook): string[] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  const inline = spansOf({ alert: "", text }).filter((span) => /^(wasp|kubectl|cat|crio) /.test(span));
  return [...blocks, ...inline];
}

function complaintAbout(command: string): string | undefined {
  const words = command.split(" ");
  if (words[0] !== "wasp")
    return OTHER_COMMANDS.includes(words[0] ?? "") ? undefined : `${words[0]} is not a command`;
  const name = words
    .slice(
      0,
      words.findIndex((word, index) => index > 0 && !/^[a-z]+$/.test(word)),
    )
    .join(" ");
  const help = HELP[name];
  if (help === undefined) return `${name} is not a command`;
  const flags = words.filter((word) => word.startsWith("--"));
  const unknown = flags.find((flag) => !new RegExp(`${flag}(=| |\n)`).test(help));
  return unknown && `${unknown} is not a flag of ${name}`;
}

function spansOf({ text }: Runbook): string[] {
  const prose = text.replace(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
}
