import type { OciContainer } from "../policy/limits/oci-container.ts";
import { readFile } from "./file.ts";

const MAX_CONFIG_BYTES = 16 * 1024 * 1024;

/** Container state that an OCI runtime passes to a hook (opencontainers/runtime-spec runtime.md). */
export interface OciState {
  readonly id: string;
  /** Pid of the container's first process in the host's namespace. */
  readonly pid: number;
  /** Absolute path of the bundle. */
  readonly bundle: string;
}

/** Decodes the OCI state of a container; throws an Error that names the invalid field. */
export function parseOciState(text: string): OciState {
  const state = new JsonObject("OCI state", parseJson("OCI state", text));
  const pid = state.number("pid");
  if (pid === undefined || !Number.isInteger(pid) || pid < 1) throw state.wrong("pid", "a process's number");
  const bundle = state.string("bundle");
  if (bundle === undefined || !bundle.startsWith("/")) throw state.wrong("bundle", "an absolute path");
  return { id: state.string("id") ?? "", pid, bundle };
}

/**
 * Reads `config.json` of the state's bundle, below fsroot (opencontainers/runtime-spec config.md and config-linux.md);
 * throws an Error that names the file and what is wrong with it.
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
 * JSON object with typed access to a few fields; an absent or null field is undefined, or empty. Written by hand,
 * because a schema library takes a tenth of the hook's time.
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

// Never the content of a list or object: a hostile one is nested too deeply to be printed.
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
