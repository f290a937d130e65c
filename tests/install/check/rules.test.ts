import { describe } from "bun:test";
import { testRules } from "./rule-case.ts";
import { NODE_CASES } from "./rule-cases.ts";

describe("a rule on the node and its services", () => testRules(NODE_CASES));
