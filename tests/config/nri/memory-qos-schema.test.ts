import { describe, expect, test } from "bun:test";
import { loadAgentConfig } from "../../../src/config/agent/load.ts";
import { parseMemoryQos } from "../../../src/config/nri/memory-qos-file.ts";
import { memoryQosAsWritten } from "../../../src/config/nri/memory-qos-schema.ts";

const FILE = "/etc/wasp/config.yaml";

function load(field: string) {
  const text = `apiVersion: wasp.io/v1alpha1\nkind: WaspConfiguration\n${field}\n`;
  return loadAgentConfig({ argv: ["--config", FILE], env: {}, readFile: () => text }).config;
}

const config = {
  classes: [
    { name: "bronze", swapLimitRatio: 0.5 },
    { name: "plain", swapLimitRatio: 0 },
  ],
  unifiedAnnotations: ["memory.swap.max", "memory.high"],
};

const written =
  "classes: [{name: bronze, swaplimitratio: 0.5}, {name: plain}], unifiedannotations: [memory.swap.max, memory.high]";

describe("the agent's memory QoS", () => {
  test.each([
    written,
    written.replace("swaplimitratio", "swapLimitRatio").replace("unifiedannotations", "unifiedAnnotations"),
    written.replace("classes", "Classes").replaceAll("name", "NAME"),
  ])("is read from %s", (text) => {
    expect(load(`memoryQos: {${text}}`).memoryQos as unknown).toEqual(config);
  });

  test("has the form of the file of wasp nri, in both directions", () => {
    const knob = load(`memoryQos: {${written}}`).memoryQos;
    if (knob === undefined) throw new Error("nothing was read");
    const text = JSON.stringify(memoryQosAsWritten(knob));
    expect(parseMemoryQos("memory-qos.yaml", text).config).toEqual(knob);
    expect(load(`memoryQos: ${text}`).memoryQos).toEqual(knob);
  });

  test("has maxima, which are printed as they were written", () => {
    const bounded =
      "classes: [{name: a, swaplimitratio: 0.5, max: 2Gi}, {name: b, max: max}], " +
      "unifiedannotations: [memory.high, {file: memory.swap.max, max: 512Mi}]";
    const knob = load(`memoryQos: {${bounded}}`).memoryQos;
    if (knob === undefined) throw new Error("nothing was read");
    expect(knob).toMatchObject({
      classes: [{ maxSwapBytes: 2 ** 31 }, { maxSwapBytes: Number.POSITIVE_INFINITY }],
      unifiedAnnotations: ["memory.high", "memory.swap.max"],
      maxBytes: { "memory.swap.max": 2 ** 29 },
    });
    const text = JSON.stringify(memoryQosAsWritten(knob));
    expect(text).toContain('{"file":"memory.swap.max","max":"512Mi"}');
    expect(parseMemoryQos("memory-qos.yaml", text).config).toEqual(knob);
    expect(load(`memoryQos: ${text}`).memoryQos).toEqual(knob);
  });

  test.each([
    ["3", "memoryQos: 3 is not a configuration of memory QoS"],
    [
      "{class: []}",
      'memoryQos.class: "class" is an unknown field: did you mean classes? The fields are classes, unifiedannotations',
    ],
    ["{classes: 1}", "memoryQos.classes: 1 is not a list of classes"],
    ["{classes: [bronze]}", 'memoryQos.classes[0]: "bronze" is not a class'],
    ["{classes: [{swaplimitratio: 1}]}", "memoryQos.classes[0].name: missing"],
    ["{classes: [{name: ''}]}", 'memoryQos.classes[0].name: "" is not a name'],
    [
      "{classes: [{name: a, swaplimitratio: 1.1}]}",
      "memoryQos.classes[0].swaplimitratio: 1.1 is not a number from 0 to 1",
    ],
    [
      "{classes: [{name: a, swaplimitratio: 50%}]}",
      'memoryQos.classes[0].swaplimitratio: "50%" is not a number from 0 to 1',
    ],
    ["{classes: [{name: a}, {name: a}]}", "memoryQos.classes: "],
    [
      "{unifiedannotations: [cpu.max]}",
      'memoryQos.unifiedannotations[0]: "cpu.max" is not one of memory.high',
    ],
  ])("%s is refused with its path", (value, complaint) => {
    expect(() => load(`memoryQos: ${value}`)).toThrow(`${FILE}:3: ${complaint}`);
  });

  test("has no flag", () => {
    const inputs = { argv: ["--memory-qos={}"], env: {}, readFile: () => "" };
    expect(() => loadAgentConfig(inputs)).toThrow("unknown flag --memory-qos");
  });
});
