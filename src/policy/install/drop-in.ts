/** The name of wasp's drop-ins, wherever settings of a service can be given in files of their own. */
export const DROP_IN = "50-wasp.conf";

/** The first line of what wasp writes where a comment can be. */
export const WRITTEN_BY = "# Written by wasp install.";
