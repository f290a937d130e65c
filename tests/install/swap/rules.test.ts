import { describe } from "bun:test";
import { testRules } from "../check/rule-case.ts";
import { SWAP_CASES } from "./rule-cases.ts";

describe("a rule on swap", () => testRules(SWAP_CASES));
