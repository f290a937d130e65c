import type { CheckFacts, FactName, KnownFacts } from "../check/facts.ts";
import type { Fact } from "./fact.ts";
import type { Finding, FindingId, Severity } from "./finding.ts";

/** What a rule makes of what is known. */
export interface Verdict {
  readonly severity: Severity;
  readonly found: string;
  /** A command or a setting that makes it right. */
  readonly remedy?: string;
}

/** One idea of what a host should be like. */
export interface Rule<Name extends FactName> {
  readonly id: FindingId;
  /** The facts that it is decided by: if one of them is unknown, so is whether the host is as it should be. */
  readonly needs: readonly Name[];
  readonly right: string;
  /** Decides; undefined where the rule is about something that is not there. */
  readonly judge: (facts: Pick<KnownFacts, Name>) => Verdict | undefined;
}

/** A rule, whatever it needs: what it finds, undefined where it is about something that is not there. */
export type Check = (facts: CheckFacts) => Finding | undefined;

/** Makes a check of a rule, which is never decided by a fact that is unknown. */
export function check<Name extends FactName>({ id, needs, right, judge }: Rule<Name>): Check {
  return (facts) => {
    const needed = needs.map((name): Fact<unknown> => facts[name]);
    if (needed.includes("only-running")) return undefined;
    const reasons = needed.flatMap((fact) =>
      fact !== "only-running" && "unknown" in fact ? fact.unknown : [],
    );
    if (reasons.length > 0) return { id, right, remedy: undefined, ...unknown(reasons) };
    const known = Object.fromEntries(needs.map((name) => [name, knownOf(facts[name])]));
    const verdict = judge(known as unknown as Pick<KnownFacts, Name>);
    return verdict && { id, right, remedy: verdict.remedy, severity: verdict.severity, found: verdict.found };
  };
}

function unknown(reasons: readonly string[]): Verdict {
  return { severity: "unknown", found: [...new Set(reasons)].join("; ") };
}

function knownOf(fact: Fact<unknown>): unknown {
  return fact !== "only-running" && "known" in fact ? fact.known : undefined;
}
