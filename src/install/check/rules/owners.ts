import { checksOn, error, ok, type Verdict } from "../../finding/rule.ts";
import { hooksInForce, isWaspHook, pathOf } from "../../hook/files.ts";
import { dangersOf, type OwnedPath } from "../../target/owned-path.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires that only root can replace the executable, which the runtime runs as root. */
export const binaryOwner = check({
  id: "binary-owner",
  needs: ["binary"],
  right: "the executable and all folders above it are owned by root, and no other user can write to them",
  judge: ({ binary: { path, owned } }) => (owned.length === 0 ? undefined : judgeOwners(path, owned)),
});

/** Requires that only root can replace the hook's definition, which names what the runtime runs as root. */
export const hookOwner = check({
  id: "hook-owner",
  needs: ["hookFiles", "hookFolders"],
  right:
    "the definition of the hook and all folders above it are owned by root, and no other user can write to them",
  judge: ({ hookFiles, hookFolders }) => {
    const [own] = hooksInForce(hookFiles, hookFolders).filter(isWaspHook);
    return own && judgeOwners(pathOf(own), own.owned);
  },
});

/** Returns whether only root can replace the file at a path, by its owner and those of the folders above it. */
function judgeOwners(path: string, owned: readonly OwnedPath[]): Verdict {
  const dangerous = owned.filter((one) => dangersOf([one]).length > 0).map((one) => one.path);
  if (dangerous.length === 0) return ok(`only root can change ${path}`);
  const paths = dangerous.join(" ");
  return error(dangersOf(owned).join("; "), `chown root:root ${paths} && chmod go-w ${paths}`);
}
