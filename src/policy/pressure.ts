/** How much of the time tasks were stalled for want of a resource. */
export interface Stall {
  readonly avg10Percent: number;
  readonly avg60Percent: number;
  readonly avg300Percent: number;
  /** Since the start of the node, or of the cgroup. */
  readonly totalMicroseconds: number;
}

/** Pressure stall information (kernel Documentation/accounting/psi.rst). */
export interface Pressure {
  /** Some task was stalled. */
  readonly some: Stall;
  /** All tasks that had something to do were stalled; older kernels do not tell it of the node's CPU. */
  readonly full: Stall | undefined;
}
