import {
  create,
  type DescMessage,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Plugin } from "./api_pb.ts";
import { MAX_MESSAGE_BYTES } from "./messages.ts";
import { messageOf, STATUS, StatusError } from "./status.ts";
import { RequestSchema, ResponseSchema } from "./ttrpc_pb.ts";

type Methods = typeof Plugin.method;

/** What the plugin does on each request: with the request and how long it was, in bytes. */
export type PluginMethods = {
  readonly [M in keyof Methods]: (
    request: MessageShape<Methods[M]["input"]>,
    requestBytes: number,
  ) => MessageInitShape<Methods[M]["output"]>;
};

const KNOWN = new Map(Plugin.methods.map((method) => [method.name, method]));
const OPTIONS = { readUnknownFields: false } as const;
// A name that was made up must not fill the log, nor the answer.
const NAME_CHARACTERS = 80;
const TOLD_CHARACTERS = 4096;
// No node has as many pods and containers, and nothing else is told by the thousand.
const MAX_FIELDS = 20_000;
// What is around it in its Response: a tag and a length.
const MAX_ANSWER_BYTES = MAX_MESSAGE_BYTES - 5;

/** Answers a request, whatever it holds, and tells of the method and the reason when it fails. */
export function answerRequest(
  bytes: Uint8Array,
  methods: PluginMethods,
  failed: (method: string, reason: string) => void,
): Uint8Array {
  let method = "request";
  try {
    const request = decode(RequestSchema, bytes);
    method = request.method.slice(0, NAME_CHARACTERS);
    return encode(run(request.service, request.method, request.payload, methods));
  } catch (error) {
    const message = messageOf(error).slice(0, TOLD_CHARACTERS).toWellFormed();
    failed(method, message);
    const code = error instanceof StatusError ? error.code : STATUS.unknown;
    return encode(new Uint8Array(), { code, message });
  }
}

function run(service: string, name: string, payload: Uint8Array, methods: PluginMethods): Uint8Array {
  const method = service === Plugin.typeName ? KNOWN.get(name) : undefined;
  if (method === undefined) {
    const asked = `${service}/${name}`.slice(0, NAME_CHARACTERS);
    throw new StatusError(STATUS.unimplemented, `${asked}: not a method of this plugin`);
  }
  // Both are of the same method.
  const act = methods[method.localName as keyof Methods] as (
    request: Message,
    requestBytes: number,
  ) => MessageInitShape<DescMessage>;
  const answer = act(decode(method.input, payload), payload.length);
  const bytes = toBinary(method.output, create(method.output, answer));
  if (bytes.length <= MAX_ANSWER_BYTES) return bytes;
  throw new StatusError(
    STATUS.resourceExhausted,
    `${name}: an answer of ${bytes.length} bytes: must be ${MAX_ANSWER_BYTES} at most`,
  );
}

function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    refuseCrowd(bytes);
    return fromBinary(schema, bytes, OPTIONS);
  } catch (error) {
    throw new StatusError(STATUS.invalidArgument, `${schema.name} cannot be read: ${messageOf(error)}`);
  }
}

// A pod or a container may take two bytes on the wire, and takes hundreds once it is read.
function refuseCrowd(bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  for (let fields = 1; reader.pos < reader.len; fields++) {
    if (fields > MAX_FIELDS) throw new Error(`more than ${MAX_FIELDS} pods, containers or other fields`);
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
  }
}

function encode(payload: Uint8Array, status?: { code: number; message: string }): Uint8Array {
  return toBinary(ResponseSchema, create(ResponseSchema, status === undefined ? { payload } : { status }));
}
