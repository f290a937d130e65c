import { expect, test } from "bun:test";
import { LastingHold } from "../../../src/agent/eviction/lasting-hold.ts";
import type { EvictionHoldReason } from "../../../src/policy/eviction/decide.ts";

/** A lasting hold that takes one reason a second. */
class Holding {
  readonly lasting = new LastingHold();
  #now = 100;

  take(seconds: number, reason: EvictionHoldReason | undefined, isPressed = true): this {
    for (const end = this.#now + seconds; this.#now < end; this.#now++)
      this.lasting.take(reason, isPressed, this.#now);
    return this;
  }
}

test("a reason that needs a person lasts after a minute", () => {
  const holding = new Holding().take(61, "relieving-kept");
  expect(holding.lasting.reason).toBeUndefined();
  expect(holding.take(1, "relieving-kept").lasting.reason).toBe("relieving-kept");
});

test("other reasons never last", () => {
  for (const reason of ["cooldown", "capped", "recovering", undefined] as const)
    expect(new Holding().take(600, reason).lasting.reason).toBeUndefined();
});

test("other decisions for half a minute do not end it, longer ones do", () => {
  const holding = new Holding()
    .take(40, "relieving-blocked")
    .take(25, undefined)
    .take(5, "relieving-blocked");
  expect(holding.lasting.reason).toBe("relieving-blocked");
  expect(holding.take(31, "grace-period").lasting.reason).toBeUndefined();
  expect(holding.take(61, "relieving-blocked").lasting.reason).toBeUndefined();
});

test("another reason that needs a person begins a minute of its own", () => {
  const holding = new Holding().take(90, "relieving-kept").take(61, "not-relieved");
  expect(holding.lasting.reason).toBeUndefined();
  expect(holding.take(1, "not-relieved").lasting.reason).toBe("not-relieved");
});

test("it is reported once in a pressure", () => {
  const holding = new Holding().take(90, "relieving-kept");
  expect(holding.lasting.takeUnreported()).toBe("relieving-kept");
  expect(holding.take(10, "relieving-kept").lasting.takeUnreported()).toBeUndefined();
  expect(holding.take(1, "not-pressed", false).lasting.reason).toBeUndefined();
  expect(holding.take(90, "relieving-kept").lasting.takeUnreported()).toBe("relieving-kept");
});
