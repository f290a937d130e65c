/** What systemd-oomd, which runs, is told to do. */
export interface OomdFacts {
  /** The slices above the pods for which it kills where swap is nearly used up, and the file that says so. */
  readonly killsForSwap: readonly { readonly unit: string; readonly path: string }[];
}
