// `wasp install --check` has three statuses of its own, by what it finds: install/finding/finding.ts.

/** Exit status of a command that did what its command line asks for. */
export const EXIT_SUCCESS = 0;
/** Exit status of a command that could not do it: the error is on standard error. */
export const EXIT_FAILURE = 1;
/** Exit status of a command that did nothing, because its command line or its configuration is wrong. */
export const EXIT_USAGE = 2;
