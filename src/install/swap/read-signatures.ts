import type { Host } from "../target/host.ts";
import type { Signature } from "./facts.ts";

/** Reads the signatures of a file or device with wipefs, which erases none; throws if wipefs fails. */
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
