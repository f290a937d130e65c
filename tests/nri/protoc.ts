import { $ } from "bun";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Directories of message descriptions. */
export const DESCRIPTIONS = {
  nri: ["src/nri/api.proto", "nri.pkg.api.v1alpha1"],
  ttrpc: ["src/nri/ttrpc.proto", "ttrpc"],
  /** Descriptions of fields that runtimes send and wasp does not know. */
  unknown: ["tests/nri/unknown.proto", "unknown"],
} as const;

/** Encodes a message from protoc's text format. */
export async function encode(
  description: keyof typeof DESCRIPTIONS,
  message: string,
  text: string,
): Promise<Uint8Array> {
  const [file, space] = DESCRIPTIONS[description];
  return new Uint8Array(
    await $`protoc --encode=${space}.${message} ${file} < ${Buffer.from(text)}`.cwd(ROOT).arrayBuffer(),
  );
}

/** Decodes a message to protoc's text format. */
export async function decode(
  description: keyof typeof DESCRIPTIONS,
  message: string,
  bytes: Uint8Array,
): Promise<string> {
  const [file, space] = DESCRIPTIONS[description];
  return $`protoc --decode=${space}.${message} ${file} < ${Buffer.from(bytes)}`.cwd(ROOT).text();
}

/** Decodes any message to protoc's text format without a description: with numbers for names. */
export async function decodeRaw(bytes: Uint8Array): Promise<string> {
  return $`protoc --decode_raw < ${Buffer.from(bytes)}`.text();
}
