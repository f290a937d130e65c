import { checksOn, ok, warning } from "../../finding/rule.ts";
import type { KnownFacts } from "../facts.ts";

const check = checksOn<KnownFacts>();

/** Requires that the services have read the present settings in their files. */
export const restart = check({
  id: "restart",
  needs: ["changedSinceStart"],
  right:
    "the kubelet and CRI-O were started after the last change of their settings, which they read only at their start",
  judge: ({ changedSinceStart }) =>
    changedSinceStart.length === 0
      ? ok("no settings were changed since their start")
      : warning(
          changedSinceStart.map(({ service, path }) => `${path} is newer than ${service}'s start`).join("; "),
          `systemctl restart ${[...new Set(changedSinceStart.map(({ service }) => service))].join(" ")}`,
        ),
});
