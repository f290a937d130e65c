/**
 * One fact about a host: its value, or the reason for which it could not be read, or "only-running" where only a running
 * host has it and this is an image.
 */
export type Fact<T> = { readonly known: T } | { readonly unknown: string } | "only-running";
