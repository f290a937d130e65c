import { parseAllDocuments } from "yaml";
import type { Guest } from "./guest.ts";

interface IgnitionFile {
  readonly path: string;
  readonly contents: { readonly source: string };
}

interface IgnitionUnit {
  readonly name: string;
  readonly contents?: string;
  readonly enabled?: boolean;
  readonly dropins?: readonly { readonly name: string; readonly contents: string }[];
}

/** Writes the files and units of MachineConfigs as OpenShift's operator does, and enables units that are marked enabled. */
export async function provision(guest: Guest, manifests: string): Promise<void> {
  const write = (path: string, base64: string) =>
    `mkdir -p $(dirname ${path}); echo ${base64} | base64 -d >${path}`;
  const lines = parseAllDocuments(manifests).flatMap((document) => {
    const { storage, systemd } = document.toJS().spec.config ?? {};
    const files = ((storage?.files ?? []) as IgnitionFile[]).map(({ path, contents }) =>
      write(path, contents.source.replace(/^.*;base64,/, "")),
    );
    const units = ((systemd?.units ?? []) as IgnitionUnit[]).flatMap(
      ({ name, contents, enabled, dropins = [] }) => {
        const unit = `/etc/systemd/system/${name}`;
        return [
          ...(contents === undefined ? [] : [write(unit, btoa(contents))]),
          ...dropins.map((dropin) => write(`${unit}.d/${dropin.name}`, btoa(dropin.contents))),
          ...(enabled ? [`systemctl enable ${name}`] : []),
        ];
      },
    );
    return [...files, ...units];
  });
  await guest.must(["set -e", ...lines].join("\n"));
}
