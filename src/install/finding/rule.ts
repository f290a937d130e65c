import type { Finding, FindingId, Severity } from "./finding.ts";

/** Judgement of a rule on known facts. */
export type Verdict = Omit<Finding, "id" | "right">;

function verdictOf(severity: Severity) {
  return (found: string, remedy?: string): Verdict => ({ remedy, severity, found });
}

/** Returns the verdict that a requirement is met. */
export const ok: (found: string) => Verdict = verdictOf("ok");
/** Returns the verdict of a thing worth knowing. */
export const note = verdictOf("note");
/** Returns the verdict that a fact is unknown. */
export const unknown = verdictOf("unknown");
/** Returns the verdict that a protection is missing. */
export const warning: (found: string, remedy: string) => Verdict = verdictOf("warning");
/** Returns the verdict that wasp does not work here. */
export const error: (found: string, remedy: string) => Verdict = verdictOf("error");

/** One requirement on a host, decided by some of its facts. */
export interface Rule<Known, Name extends keyof Known> {
  readonly id: FindingId;
  /** The facts that decide it: while one of them is unknown, the finding is unknown too. */
  readonly needs: readonly Name[];
  readonly right: string;
  /** Decides; undefined where the rule concerns something that the host does not have. */
  readonly judge: (facts: Pick<Known, Name>) => Verdict | undefined;
}

/**
 * One fact about a host: its value, or the reason for which it could not be read, or "only-running" where only a running
 * host has it and this is an image.
 */
export type Fact<T> = { readonly known: T } | { readonly unknown: string } | "only-running";

/** Facts by name, each with its value or with the reason for which it has none. */
export type FactsOf<Known> = { readonly [Name in keyof Known]: Fact<Known[Name]> };

/** Applies a rule; undefined where the rule concerns something that the host does not have. */
export type Check<Known> = (facts: FactsOf<Known>) => Finding | undefined;

/**
 * Returns a function that makes checks of rules over these facts. A rule sees the facts that it needs and no others, and
 * never decides by one that is unknown.
 */
export function checksOn<Known>() {
  return <Name extends keyof Known>(rule: Rule<Known, Name>): Check<Pick<Known, Name>> =>
    (facts) => {
      const { id, needs, right, judge } = rule;
      const known: Partial<Pick<Known, Name>> = {};
      const reasons = new Set<string>();
      for (const name of needs) {
        const fact: Fact<Known[Name]> = facts[name];
        if (fact === "only-running") return undefined;
        if ("unknown" in fact) reasons.add(fact.unknown);
        else known[name] = fact.known;
      }
      if (reasons.size > 0) return { id, right, ...unknown([...reasons].join("; ")) };
      const verdict = judge(known as Pick<Known, Name>);
      return verdict && { id, right, ...verdict };
    };
}
