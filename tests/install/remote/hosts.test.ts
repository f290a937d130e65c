import { describe, expect, test } from "bun:test";
import { parseHosts } from "../../../src/install/remote/hosts.ts";

const fromFile = (text: string) => parseHosts({ flags: [], file: { path: "hosts.txt", text } });

describe("hosts", () => {
  test("come from flags, then from a file with comments and blank lines", () => {
    const text = "# workers\n\nroot@node1\r\n  node2   # the slow one\n#node3\nssh://core@node4:2222\n";
    const hosts = parseHosts({ flags: ["admin@node0"], file: { path: "hosts.txt", text } });
    expect(hosts).toEqual(["admin@node0", "root@node1", "node2", "ssh://core@node4:2222"]);
  });

  test.each([
    "node1",
    "node-1.example.com",
    "under_score",
    "10.0.0.7",
    "root@10.0.0.7",
    "DOMAIN\\admin@node1",
    "admin@example.com@node1",
    "fe80::1%eth0",
    "root@2001:db8::7",
    "ssh://node1",
    "ssh://root@node1/",
    "ssh://root@node1:22",
    "ssh://root@[2001:db8::7]:2222",
    "ssh://[::1]",
  ])("include %s", (destination) => {
    expect(parseHosts({ flags: [destination] })).toEqual([destination]);
  });

  const expected = "expected user@host or ssh://user@host:port";

  test.each([
    ["-oProxyCommand=reboot", `begins with "-", like an option of ssh: ${expected}`],
    ["-l@node1", `begins with "-", like an option of ssh: ${expected}`],
    ["root@-node1", `is not a valid host: ${expected}`],
    ["ssh://-oProxyCommand=reboot", `is not a valid host: ${expected}`],
    ["ssh://-root@node1", `has an invalid user: ${expected}`],
    ["@node1", `has an invalid user: ${expected}`],
    ["$(reboot)@node1", `has an invalid user: ${expected}`],
    ["a b@node1", `has an invalid user: ${expected}`],
    ["node1;reboot", `is not a valid host: ${expected}`],
    ["node1 node2", `is not a valid host: ${expected}`],
    ["root@", `is not a valid host: ${expected}`],
    ["node1\u001b[2J", `is not a valid host: ${expected}`],
    ["root@node1:2222", "has a port: expected ssh://root@node1:2222"],
    ["ssh://node1:", "has no valid port: expected 1 to 65535"],
    ["ssh://node1:65536", "has no valid port: expected 1 to 65535"],
    ["ssh://[::1]:x", "has no valid port: expected 1 to 65535"],
    ["ssh://[node1]:22", `is not a valid host: ${expected}`],
    ["ssh://", `is not a valid host: ${expected}`],
    ["http://node1", `is not a valid host: ${expected}`],
  ])("do not include %j", (destination, fault) => {
    expect(() => fromFile(`good\n${destination}\n`)).toThrow(
      `hosts.txt:2: ${JSON.stringify(destination)} ${fault}`,
    );
  });

  test("are refused if one is named twice, even with different users", () => {
    expect(() => fromFile("root@node1\n\nadmin@NODE1\n")).toThrow(
      "hosts.txt:3: admin@NODE1 is named twice, first in hosts.txt:1",
    );
    expect(() => parseHosts({ flags: ["node1"], file: { path: "hosts.txt", text: "ssh://node1" } })).toThrow(
      "hosts.txt:1: ssh://node1 is named twice, first in --ssh node1",
    );
    expect(fromFile("ssh://node1:2201\nssh://node1:2202")).toHaveLength(2);
  });

  test("of another kind of file are reported on one screen", () => {
    const complaints = /^(hosts\.txt:\d+: .*\n){10}and 390 more$/;
    expect(() => fromFile("no host at all\n".repeat(400))).toThrow(complaints);
  });

  test("are all validated before one error is thrown", () => {
    expect(() => fromFile("-x\nnode1\n-y\n")).toThrow(/^hosts\.txt:1: .*\nhosts\.txt:3: .*$/);
  });

  test("are refused if a file names none", () => {
    expect(() => fromFile("# none\n\n")).toThrow("hosts.txt: names no host: expected one host per line");
  });
});
