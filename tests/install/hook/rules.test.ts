import { describe } from "bun:test";
import { testRules } from "../check/rule-case.ts";
import { HOOK_CASES } from "./rule-cases.ts";

describe("a rule on the hook", () => testRules(HOOK_CASES));
