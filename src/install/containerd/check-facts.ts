/** Facts about NRI for the rules. */
export interface NriCheckFacts {
  /** True if the runtime offers NRI. */
  readonly isNriOn: boolean;
  /** The pid of the wasp process that is the runtime's NRI plugin; undefined for none. */
  readonly nriPluginPid: number | undefined;
}
