import { checksOn } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** The services go by the settings that are in their files. */
export const restart = check({
  id: "restart",
  needs: ["changedSinceStart"],
  right:
    "kubelet and CRI-O were started after their settings were changed last: they read them at their start",
  judge: ({ changedSinceStart }) =>
    changedSinceStart.length === 0
      ? { severity: "ok", found: "no settings were changed since" }
      : {
          severity: "warning",
          found: changedSinceStart
            .map(({ service, path }) => `${path} is newer than ${service}'s start`)
            .join("; "),
          remedy: `systemctl restart ${[...new Set(changedSinceStart.map(({ service }) => service))].join(" ")}`,
        },
});
