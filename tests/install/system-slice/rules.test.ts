import { describe } from "bun:test";
import { testRules } from "../check/rule-case.ts";
import { SYSTEM_SLICE_CASES } from "./rule-cases.ts";

describe("a rule on system.slice", () => testRules(SYSTEM_SLICE_CASES));
