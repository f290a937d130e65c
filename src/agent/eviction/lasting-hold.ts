import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";

const PERSONS_REASONS = [
  "relieving-kept",
  "relieving-blocked",
  "not-relieved",
] as const satisfies readonly EvictionHoldReason[];

/** Reason for which no pod is evicted, and that lasts until a person does something. */
export type PersonsReason = (typeof PERSONS_REASONS)[number];

const LASTING_SECONDS = 60;
// A stall oscillates, and a refused eviction is requested again: for some seconds, another decision stands in between.
const GAP_SECONDS = 30;

/** Follows the reasons for which no pod is evicted, and finds those that last for more than a minute and need a person. */
export class LastingHold {
  #reason: PersonsReason | undefined;
  #sinceSeconds = 0;
  #seenSeconds = 0;
  readonly #reported = new Set<PersonsReason>();

  /** Takes the reason of this moment, undefined while a pod is evicted or awaited. */
  take(reason: EvictionHoldReason | undefined, isPressed: boolean, nowSeconds: number): void {
    if (!isPressed) this.reset();
    else if (isPersonsReason(reason)) this.#see(reason, nowSeconds);
    else if (nowSeconds - this.#seenSeconds > GAP_SECONDS) this.#reason = undefined;
  }

  /** Reason that has lasted for more than a minute; undefined without one. */
  get reason(): PersonsReason | undefined {
    return this.#seenSeconds - this.#sinceSeconds > LASTING_SECONDS ? this.#reason : undefined;
  }

  /** Returns the lasting reason if it was not yet reported in this pressure, and counts it as reported. */
  takeUnreported(): PersonsReason | undefined {
    const { reason } = this;
    if (reason === undefined || this.#reported.has(reason)) return undefined;
    this.#reported.add(reason);
    return reason;
  }

  /** Forgets all reasons, because the pressure is over. */
  reset(): void {
    this.#reason = undefined;
    this.#reported.clear();
  }

  #see(reason: PersonsReason, nowSeconds: number): void {
    if (reason !== this.#reason || nowSeconds - this.#seenSeconds > GAP_SECONDS)
      this.#sinceSeconds = nowSeconds;
    this.#reason = reason;
    this.#seenSeconds = nowSeconds;
  }
}

function isPersonsReason(reason: EvictionHoldReason | undefined): reason is PersonsReason {
  return (PERSONS_REASONS as readonly (EvictionHoldReason | undefined)[]).includes(reason);
}
