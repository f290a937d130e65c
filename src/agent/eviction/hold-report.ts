import type { EvictionHoldReason } from "../../policy/eviction/decide.ts";
import { isPressed } from "../../policy/eviction/state.ts";
import type { DecisionBasis } from "./decision-log.ts";
import { LastingHold, type PersonsReason } from "./lasting-hold.ts";
import { heldSentenceOf, sentenceOf } from "./words.ts";

/** Report of the holds that last and need a person: in words at each moment, and in one note for each pressure and reason. */
export class HoldReport {
  readonly #lasting = new LastingHold();
  readonly #onNote: (note: string) => void;
  #sentence = "";

  /** `onNote` is called with the note of an Event, once for each pressure and reason. */
  constructor(onNote: (note: string) => void) {
    this.#onNote = onNote;
  }

  /** Reason that lasts; undefined without one. */
  get reason(): PersonsReason | undefined {
    return this.#lasting.reason;
  }

  /** Sentence that names the reason and the pods whose end would help, with a space after it; empty without a reason. */
  get sentence(): string {
    return this.#sentence;
  }

  /** Takes the reason of the next decision, undefined while a pod is evicted or awaited. */
  take(reason: EvictionHoldReason | undefined, basis: DecisionBasis): void {
    const { snapshot, observation, state, config } = basis;
    // A dry run moves no pod, so of course it relieves nothing.
    const isVain = config.evictionMode === "DryRun" && reason === "not-relieved";
    this.#lasting.take(isVain ? undefined : reason, isPressed(state), snapshot.atSeconds);
    this.#sentence = this.#describe(basis);
    if (this.#lasting.takeUnreported() !== undefined)
      this.#onNote(`${this.#sentence}${sentenceOf(observation)}`);
  }

  /** Forgets all reasons, because no decisions are made any more. */
  reset(): void {
    this.#lasting.reset();
    this.#sentence = "";
  }

  #describe({ relieving, config }: DecisionBasis): string {
    return this.reason === undefined ? "" : `${heldSentenceOf(this.reason, relieving, config)} `;
  }
}
