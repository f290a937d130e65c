import { expect, test } from "bun:test";
import { readReport } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="1" failures="1" skipped="2" time="0.1">
  <testsuite name="tests/a.test.ts" file="tests/a.test.ts" tests="5" assertions="1" failures="2" skipped="2">
    <testsuite name="outer &amp; &lt;b&gt;" file="tests/a.test.ts" line="2" tests="4">
      <testcase name="fails &quot;quoted&quot;" classname="inner &gt; outer &amp; &lt;b&gt;" time="0.1" file="tests/a.test.ts">
        <failure type="AssertionError" message="Expected: 2">at tests/a.test.ts:2:102&#10;</failure>
      </testcase>
      <testcase name="passes" classname="inner &gt; outer &amp; &lt;b&gt;" time="0.1" file="tests/a.test.ts" />
      <testcase name="cannot run" classname="outer &amp; &lt;b&gt;" time="0" file="tests/a.test.ts">
        <skipped />
      </testcase>
    </testsuite>
    <testcase name="hangs" classname="" time="0.103802" file="tests/a.test.ts">
      <failure type="TimeoutError" message="test timed out" />
    </testcase>
  </testsuite>
</testsuites>`;

test("a report is read with the names of what failed or was skipped", () => {
  expect(readReport(REPORT)).toEqual({
    passed: 1,
    failed: ['outer & <b> > inner > fails "quoted"', "outer & <b> > cannot run (skipped)", "hangs"],
  });
});

test("a report that is missing has no tests", () => {
  expect(readReport("")).toEqual({ passed: 0, failed: [] });
});
