import { describe } from "bun:test";
import { testRules } from "../check/rule-case.ts";
import { NRI_CASES } from "./rule-cases.ts";

describe("a rule on NRI", () => testRules(NRI_CASES));
