import type { OciContainer } from "../policy/limits/oci-container.ts";
import { readFile } from "./file.ts";

const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

/** The state that an OCI runtime hands to a hook (opencontainers/runtime-spec runtime.md). */
export interface OciState {
  readonly id: string;
  /** The container's first process, as the host counts. */
  readonly pid: number;
  /** An absolute path. */
  readonly bundle: string;
}

/** Decodes the OCI state of a container; throws an error that names the field that is wrong. */
export function parseOciState(text: string): OciState {
  const state = new JsonObject("OCI state", parseJson("OCI state", text));
  const pid = state.number("pid");
  if (pid === undefined || !Number.isInteger(pid) || pid < 1) throw state.wrong("pid", "a process's number");
  const bundle = state.string("bundle");
  if (bundle === undefined || !bundle.startsWith("/")) throw state.wrong("bundle", "an absolute path");
  return { id: state.string("id") ?? "", pid, bundle };
}

/**
 * Reads `config.json` of the bundle that the state names, below fsroot (opencontainers/runtime-spec config.md and
 * config-linux.md); throws an error that names the file and what is wrong with it.
 */
export function readOciContainer(fsroot: string, state: OciState): OciContainer {
  const path = `${fsroot}${state.bundle}/config.json`;
  const config = new JsonObject(path, parseJson(path, readFile(path, MAX_CONFIG_BYTES)));
  const linux = config.object("linux");
  const resources = linux.object("resources");
  return {
    cgroupsPath: linux.string("cgroupsPath"),
    oomScoreAdj: config.object("process").number("oomScoreAdj"),
    annotations: config.object("annotations").fields,
    memoryLimitBytes: resources.object("memory").number("limit"),
    unified: resources.object("unified").fields,
  };
}

/**
 * A JSON object of which a few fields are looked at; one that is absent or null is undefined, or empty. By hand: a
 * schema library costs a tenth of the hook's time.
 */
class JsonObject {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly #name: string;

  constructor(name: string, json: unknown) {
    if (json !== undefined && json !== null && (typeof json !== "object" || Array.isArray(json))) {
      throw new Error(`${name}: must be an object, not ${describe(json)}`);
    }
    this.#name = name;
    this.fields = (json ?? {}) as Readonly<Record<string, unknown>>;
  }

  object(field: string): JsonObject {
    return new JsonObject(`${this.#name}: ${field}`, this.fields[field]);
  }

  string(field: string): string | undefined {
    const value = this.fields[field] ?? undefined;
    if (value !== undefined && typeof value !== "string") throw this.wrong(field, "a string");
    return value;
  }

  number(field: string): number | undefined {
    const value = this.fields[field] ?? undefined;
    if (value !== undefined && typeof value !== "number") throw this.wrong(field, "a number");
    return value;
  }

  wrong(field: string, expected: string): Error {
    return new Error(`${this.#name}: ${field}: must be ${expected}, not ${describe(this.fields[field])}`);
  }
}

// Never the inside of a list or object: a hostile one is nested beyond what can be printed.
function describe(json: unknown): string {
  if (Array.isArray(json)) return "a list";
  if (typeof json === "object" && json !== null) return "an object";
  return json === undefined ? "nothing" : JSON.stringify(json).slice(0, 60);
}

function parseJson(name: string, text: string): unknown {
  if (text.trim() === "") throw new Error(`${name}: is empty`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${name}: is not JSON: ${(error as Error).message}`);
  }
}
