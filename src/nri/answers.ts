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

type ServiceMethods = typeof Plugin.method;

/** Implementations of the plugin's methods; they get a request and its size in bytes. */
export type PluginMethods = {
  readonly [M in keyof ServiceMethods]: (
    request: MessageShape<ServiceMethods[M]["input"]>,
    requestBytes: number,
  ) => MessageInitShape<ServiceMethods[M]["output"]>;
};

const METHODS = new Map(Plugin.methods.map((method) => [method.name, method]));
const OPTIONS = { readUnknownFields: false } as const;
// An invented name must not fill the log or the answer.
const MAX_NAME_CHARACTERS = 80;
const MAX_ERROR_CHARACTERS = 4096;
// No node has as many pods and containers, and nothing else comes in thousands.
const MAX_FIELDS = 20_000;
// Without its frame in the Response: a tag and a length.
const MAX_ANSWER_BYTES = MAX_MESSAGE_BYTES - 5;

/** Returns the answer to a request, valid or not; calls `failed` with its method and the reason if it fails. */
export function answerRequest(
  bytes: Uint8Array,
  methods: PluginMethods,
  failed: (method: string, reason: string) => void,
): Uint8Array {
  let method = "request";
  try {
    const request = decode(RequestSchema, bytes);
    method = request.method.slice(0, MAX_NAME_CHARACTERS);
    return encode(run(request.service, request.method, request.payload, methods));
  } catch (error) {
    return refusal(error, (reason) => failed(method, reason));
  }
}

/** Returns the answer with a method's output, or with the error that it throws; calls `failed` with the reason then. */
export function answerOf<D extends DescMessage>(
  output: D,
  act: () => MessageInitShape<D>,
  failed: (reason: string) => void,
): Uint8Array {
  try {
    return encode(toBinary(output, create(output, act())));
  } catch (error) {
    return refusal(error, failed);
  }
}

function refusal(error: unknown, failed: (reason: string) => void): Uint8Array {
  const message = messageOf(error).slice(0, MAX_ERROR_CHARACTERS).toWellFormed();
  failed(message);
  const code = error instanceof StatusError ? error.code : STATUS.unknown;
  return encode(new Uint8Array(), { code, message });
}

function run(service: string, name: string, payload: Uint8Array, methods: PluginMethods): Uint8Array {
  const method = service === Plugin.typeName ? METHODS.get(name) : undefined;
  if (method === undefined) {
    const requested = `${service}/${name}`.slice(0, MAX_NAME_CHARACTERS);
    throw new StatusError(STATUS.unimplemented, `${requested}: not a method of this plugin`);
  }
  // Input and output are those of this method.
  const act = methods[method.localName as keyof ServiceMethods] as (
    request: Message,
    requestBytes: number,
  ) => MessageInitShape<DescMessage>;
  const answer = act(decode(method.input, payload), payload.length);
  const bytes = toBinary(method.output, create(method.output, answer));
  if (bytes.length <= MAX_ANSWER_BYTES) return bytes;
  throw new StatusError(
    STATUS.resourceExhausted,
    `${name}: the answer has ${bytes.length} bytes: must be ${MAX_ANSWER_BYTES} at most`,
  );
}

function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    refuseCrowd(bytes);
    return fromBinary(schema, bytes, OPTIONS);
  } catch (error) {
    throw new StatusError(STATUS.invalidArgument, `${schema.name} cannot be decoded: ${messageOf(error)}`);
  }
}

// A pod or a container may take two bytes on the wire, but takes hundreds in memory.
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
