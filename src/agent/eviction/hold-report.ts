import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";
import { isPressed } from "../../policy/eviction/state.ts";
import type { DecisionBasis } from "./decision-log.ts";
import { LastingHold, type PersonsReason } from "./lasting-hold.ts";
import { heldWordsOf, sentenceOf } from "./words.ts";

/** Report of the holds that last and need a person: in words at each moment, and in one note for each pressure and reason. */
export class HoldReport {
  readonly #lasting = new LastingHold();
  readonly #onNote: (note: string) => void;
  #words = "";

  /** `onNote` is called with the note of an Event, once for each pressure and reason. */
  constructor(onNote: (note: string) => void) {
    this.#onNote = onNote;
  }

  /** Reason that lasts; undefined without one. */
  get reason(): PersonsReason | undefined {
    return this.#lasting.reason;
  }

  /** Sentences that name the reason, the pods whose end would help and the remedy, with a space after them; or empty. */
  get words(): string {
    return this.#words;
  }

  /** Takes the reason of the next decision, undefined while a pod is evicted or awaited. */
  take(reason: EvictionHoldReason | undefined, basis: DecisionBasis): void {
    const { snapshot, observation, state, config } = basis;
    // A dry run moves no pod, so of course it relieves nothing.
    const isVain = config.evictionMode === "DryRun" && reason === "not-relieved";
    this.#lasting.take(isVain ? undefined : reason, isPressed(state), snapshot.atSeconds);
    this.#words = this.#describe(basis);
    if (this.#lasting.takeUnreported() !== undefined)
      this.#onNote(`${this.#words}${sentenceOf(observation)}`);
  }

  /** Forgets all reasons, because no decisions are made any more. */
  reset(): void {
    this.#lasting.reset();
    this.#words = "";
  }

  #describe({ relieving, config }: DecisionBasis): string {
    return this.reason === undefined ? "" : `${heldWordsOf(this.reason, relieving, config)} `;
  }
}
