import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { FindingId } from "../../../src/install/finding/finding.ts";
import { type Breakage, CheckedHost, foundOn, hookText, testBreakages } from "../check/checked-host.ts";

let host: CheckedHost;
beforeEach(() => {
  host = new CheckedHost();
});
afterEach(() => host[Symbol.dispose]());

const found = (id: FindingId) => foundOn(host, id);
const HOOKS = "/usr/share/containers/oci/hooks.d";

const BREAKAGES: readonly Breakage[] = [
  [
    "binary",
    "removed",
    (host) => host.remove("/usr/local/bin/wasp"),
    "error",
    "/usr/local/bin/wasp is not there",
  ],
];

describe("a host with a fault of the executable", () => testBreakages(BREAKAGES));

// Only root's files are owned by root.
describe.if(process.getuid?.() === 0)("the executable", () => {
  test("is run with an empty environment and a time limit", () => {
    expect(found("binary")).toBe("ok: /usr/local/bin/wasp: wasp 0.1.0 (0123456)");
    expect(host.ran).toContain("env -i timeout 10 /usr/local/bin/wasp --version");
  });

  test("that does not run is an error", () => {
    host.version = new Error("wasp: exit status 127: no such file");
    expect(found("binary")).toBe(
      "error: /usr/local/bin/wasp does not run: wasp: exit status 127: no such file",
    );
  });

  const writable = [
    ["itself", "/usr/local/bin/wasp", 0o757],
    ["its folder", "/usr/local/bin", 0o777],
    ["a folder far above", "/usr", 0o1777],
    ["the root", "", 0o777],
  ] as const;
  test.each(writable)("is not run where everybody may change %s", (_, path, mode) => {
    host.chmod(path, mode);
    expect(found("binary-owner")).toContain(`${path || "/"} is writable by everybody`);
    expect(found("binary")).toStartWith("unknown: ");
    expect(host.ran).toEqual([]);
  });

  test("is found through links of its folders, and all folders on the way count", () => {
    host.write("/var/usrlocal/bin/wasp", "", 0o755);
    host.link("/usr/local", "../var/usrlocal");
    expect(found("binary-owner")).toContain("/usr/local/bin/wasp");
    host.chmod("/var", 0o777);
    expect(found("binary-owner")).toContain("/var is writable by everybody");
    host.link("/usr/local", "/var/nothing");
    expect(found("binary")).toBe("error: /usr/local/bin/wasp is not there");
  });

  test("has an owner finding where everybody may change the hook", () => {
    host.chmod(HOOKS, 0o777);
    expect(found("hook-owner")).toContain(`${HOOKS} is writable by everybody`);
  });

  test("is found at the path in the hook, through its links", () => {
    host.write(`${HOOKS}/wasp-swap.json`, hookText(host).replace("/usr/local/bin/wasp", "/opt/bin/wasp"));
    host.link("/opt/bin/wasp", "/srv/wasp/wasp");
    host.write("/srv/wasp/wasp", "", 0o755);
    host.chmod("/srv/wasp", 0o777);
    expect(found("binary-owner")).toContain("/srv/wasp is writable by everybody");
    host.remove("/srv/wasp/wasp");
    expect(found("binary")).toBe("error: /opt/bin/wasp is not there");
  });
});
