import { expect, test } from "bun:test";
import { withoutFlags } from "../../../src/install/remote/argv.ts";

const local = { valued: ["ssh", "hosts"], switches: ["verbose"] };

test.each([
  ["--ssh root@node1 --swap-size 4Gi --ssh=node2 -o json", "--swap-size 4Gi -o json"],
  ["--verbose --only swap --hosts hosts.txt", "--only swap"],
  ["--dry-run --hosts=a=b --only=swap", "--dry-run --only=swap"],
  ["--sshd --verbosely", "--sshd --verbosely"],
  ["--ssh --verbose", ""],
])("of the arguments %j hosts get only %j", (all, rest) => {
  expect(withoutFlags(all.split(" "), local).join(" ")).toBe(rest);
});
