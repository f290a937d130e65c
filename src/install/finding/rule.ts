import type { Fact } from "./fact.ts";
import type { Finding, FindingId, Severity } from "./finding.ts";

/** Judgement of a rule on known facts. */
export interface Verdict {
  readonly severity: Severity;
  readonly found: string;
  /** A command or a setting that corrects it. */
  readonly remedy?: string;
}

/** One requirement on a host, decided by some of its facts. */
export interface Rule<Known, Name extends keyof Known> {
  readonly id: FindingId;
  /** The facts that decide it: while one of them is unknown, the finding is unknown too. */
  readonly needs: readonly Name[];
  readonly right: string;
  /** Decides; undefined where the rule concerns something that the host does not have. */
  readonly judge: (facts: Pick<Known, Name>) => Verdict | undefined;
}

/** Facts by name, each with its value or with the reason for which it has none. */
export type Facts<Known> = { readonly [Name in keyof Known]: Fact<Known[Name]> };

/** Applies a rule; undefined where the rule concerns something that the host does not have. */
export type Check<Known> = (facts: Facts<Known>) => Finding | undefined;

/**
 * Returns a function that makes checks of rules over these facts. A rule sees the facts that it needs and no others, and
 * never decides by one that is unknown.
 */
export function checksOn<Known>() {
  return <Name extends keyof Known>(rule: Rule<Known, Name>): Check<Pick<Known, Name>> =>
    (facts) => {
      const { id, needs, right, judge } = rule;
      const needed = needs.map((name): Fact<unknown> => facts[name]);
      if (needed.includes("only-running")) return undefined;
      const reasons = needed.flatMap((fact) =>
        fact !== "only-running" && "unknown" in fact ? fact.unknown : [],
      );
      if (reasons.length > 0) return { id, right, remedy: undefined, ...unknown(reasons) };
      const known = Object.fromEntries(needs.map((name) => [name, knownOf(facts[name])]));
      const verdict = judge(known as Pick<Known, Name>);
      return (
        verdict && { id, right, remedy: verdict.remedy, severity: verdict.severity, found: verdict.found }
      );
    };
}

function unknown(reasons: readonly string[]): Verdict {
  return { severity: "unknown", found: [...new Set(reasons)].join("; ") };
}

function knownOf(fact: Fact<unknown>): unknown {
  return fact !== "only-running" && "known" in fact ? fact.known : undefined;
}
