/**
 * What is known of one thing on a host: what it is, or why that could not be found out, or that it is a thing of a host
 * that runs, and this is an image of one.
 */
export type Fact<T> = { readonly known: T } | { readonly unknown: string } | "only-running";
