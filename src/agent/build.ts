/** Version and commit of this wasp. */
export interface Build {
  readonly version: string;
  readonly commit: string;
}
