import type * as v from "valibot";

/** Kubernetes API type of @kubernetes/client-node as its JSON: a Date is a string, and `_continue` is `continue`. */
export type Json<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Json<Item>[]
    : T extends object
      ? { readonly [Field in keyof T as FieldName<Field>]: Json<T[Field]> }
      : T;

/** Merge patch of a Kubernetes API type: any of its fields, null to remove one. A list replaces the whole list. */
export type MergePatch<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly MergePatch<Item>[]
    : T extends object
      ? { readonly [Field in keyof T as FieldName<Field>]?: MergePatch<T[Field]> | null | undefined }
      : T;

/**
 * Valibot schemas of the fields that are read of a Kubernetes API type. The compiler checks the names and the kinds of
 * the fields; the schemas check what a server really sent.
 */
export type FieldSchemas<T> = {
  readonly [Field in keyof T as FieldName<Field>]?: v.GenericSchema<
    JsonKind<T[Field]> | null | undefined,
    unknown
  >;
};

// The client puts an underscore before the names that are reserved words of JavaScript.
type FieldName<Field> = Field extends `_${infer Name}` ? Name : Field;

type JsonKind<T> = T extends Date
  ? string
  : T extends readonly unknown[]
    ? readonly unknown[]
    : T extends object
      ? object
      : T;
