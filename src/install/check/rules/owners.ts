import { checksOn, type Verdict } from "../../finding/rule.ts";
import { hooksInForce, isWaspHook, pathOf } from "../../hook/files.ts";
import { dangersOf, type OwnedPath } from "../../target/owned-path.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Nobody but root decides what the runtime runs as root: neither by the executable... */
export const binaryOwner = check({
  id: "binary-owner",
  needs: ["binary"],
  right: "the executable and all folders above it are owned by root, and writable by nobody else",
  judge: ({ binary: { path, owned } }): Verdict | undefined =>
    owned.length === 0 ? undefined : judgeOwners(path, owned),
});

/** ...nor by the hook's definition. */
export const hookOwner = check({
  id: "hook-owner",
  needs: ["hookFiles", "hookFolders"],
  right: "the definition of the hook and all folders above it are owned by root, and writable by nobody else",
  judge: ({ hookFiles, hookFolders }): Verdict | undefined => {
    const [own] = hooksInForce(hookFiles, hookFolders).filter(isWaspHook);
    return own && judgeOwners(pathOf(own), own.owned);
  },
});

/** Whether root alone may change what is at a path, by who may change it and what is above it. */
function judgeOwners(path: string, owned: readonly OwnedPath[]): Verdict {
  const dangerous = owned.filter((one) => dangersOf([one]).length > 0).map((one) => one.path);
  if (dangerous.length === 0) return { severity: "ok", found: `${path} is root's alone` };
  const paths = dangerous.join(" ");
  return {
    severity: "error",
    found: dangersOf(owned).join("; "),
    remedy: `chown root:root ${paths} && chmod go-w ${paths}`,
  };
}
