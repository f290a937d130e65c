import type { Host } from "../target/host.ts";
import type { Signature } from "./facts.ts";

/** Reads all signatures that wipefs finds in a file or on a device, and erases none; throws where it cannot look. */
export function readSignatures(host: Host, path: string): readonly Signature[] {
  const output = host.run(["wipefs", "--no-act", "--json", path]);
  if (output.trim() === "") return [];
  const { signatures } = JSON.parse(output) as { readonly signatures?: readonly WipefsSignature[] };
  return (signatures ?? []).map(({ type, label }) => ({ type, label: label ?? undefined }));
}

interface WipefsSignature {
  readonly type: string;
  readonly label?: string | null;
}
