import { $ } from "bun";

const ROOT = new URL("../..", import.meta.url).pathname;

/** Where descriptions of messages are. */
export const DESCRIPTIONS = {
  nri: ["src/nri/api.proto", "nri.pkg.api.v1alpha1"],
  ttrpc: ["src/nri/ttrpc.proto", "ttrpc"],
  /** What runtimes send besides, and wasp does not know. */
  unknown: ["tests/nri/unknown.proto", "unknown"],
} as const;

/** The bytes of a message that is written in protoc's text format. */
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

/** A message in protoc's text format. */
export async function decode(
  description: keyof typeof DESCRIPTIONS,
  message: string,
  bytes: Uint8Array,
): Promise<string> {
  const [file, space] = DESCRIPTIONS[description];
  return $`protoc --decode=${space}.${message} ${file} < ${Buffer.from(bytes)}`.cwd(ROOT).text();
}

/** Any message in protoc's text format, with numbers for names: no description is believed. */
export async function decodeRaw(bytes: Uint8Array): Promise<string> {
  return $`protoc --decode_raw < ${Buffer.from(bytes)}`.text();
}
