import { describe } from "bun:test";
import { testRules } from "../check/rule-case.ts";
import { BINARY_CASES } from "./rule-cases.ts";

describe("a rule on the executable", () => testRules(BINARY_CASES));
