import { NRI_SWAP_ANNOTATION } from "../policy/limits/oci-container.ts";
import { isEmpty, type Unified } from "../policy/memory-qos/files.ts";
import type { PluginMethods } from "./answers.ts";
import { type Container, Event, type PodSandbox } from "./api_pb.ts";
import { containerOf, memoryLimitOf, podOf, resourcesOf, updateOf } from "./from-wire.ts";
import type { NriContainer, NriPod, NriRuntime, PluginHandlers } from "./handlers.ts";
import { STATUS, StatusError } from "./status.ts";
import type { Synchronization, Synchronized } from "./synchronization.ts";

// Never empty: without any event, the runtime sends all of them.
const SUBSCRIBED = [
  Event.CREATE_CONTAINER,
  Event.POST_START_CONTAINER,
  Event.UPDATE_CONTAINER,
  Event.STOP_CONTAINER,
  Event.REMOVE_CONTAINER,
].reduce((bits, event) => bits | (1 << (event - 1)), 0);

/** Event of a connection. */
export type SessionEvent =
  /** The runtime registered and configured the plugin, and knows the events that it wants. */
  | { readonly kind: "registered"; readonly runtime: NriRuntime }
  /** The runtime has listed its pods and containers; from now on it reports every change. */
  | ({ readonly kind: "synchronized" } & Synchronized)
  /** A request was answered with an error, which the runtime shows to users. */
  | { readonly kind: "request-failed"; readonly method: string; readonly reason: string }
  /** The runtime announced its shutdown. */
  | { readonly kind: "shutdown" };

/** Returns the implementations of the plugin's methods for one connection; `report` gets the successful requests. */
export function pluginMethods(
  handlers: PluginHandlers,
  synchronization: Synchronization,
  report: (event: SessionEvent) => void,
): PluginMethods {
  return {
    configure({ config, runtimeName, runtimeVersion, requestTimeout }) {
      const requestTimeoutMillis = requestTimeout > 0n ? Number(requestTimeout) : undefined;
      const runtime = { name: runtimeName, version: runtimeVersion, requestTimeoutMillis };
      handlers.configure(config, runtime);
      report({ kind: "registered", runtime });
      return { events: SUBSCRIBED };
    },
    synchronize({ pods, containers, more }, requestBytes) {
      synchronization.add(pods, containers, requestBytes);
      return more ? { more } : synchronization.finish();
    },
    shutdown() {
      report({ kind: "shutdown" });
      return {};
    },
    createContainer(request) {
      const unified = handlers.createContainer(...subject(request));
      return isEmpty(unified) ? {} : { adjust: { ...resourcesOf(unified), ...noticeOf(unified) } };
    },
    updateContainer(request) {
      const [pod, container] = subject(request);
      const unified = handlers.updateContainer(pod, container, memoryLimitOf(request.linuxResources));
      return isEmpty(unified) ? {} : { update: [updateOf({ containerId: container.id, unified })] };
    },
    stopContainer(request) {
      handlers.stopContainer(...subject(request));
      return {};
    },
    removeContainer(request) {
      handlers.removeContainer(...subject(request));
      return {};
    },
    postStartContainer(request) {
      handlers.startedContainer(...subject(request));
      return {};
    },
    stateChange(request) {
      if (request.event === Event.POST_START_CONTAINER) handlers.startedContainer(...subject(request));
      if (request.event === Event.REMOVE_CONTAINER) handlers.removeContainer(...subject(request));
      return {};
    },
  };
}

/** Returns the annotation by which the hook recognizes a swap limit of this plugin. */
function noticeOf(unified: Unified): { annotations?: Record<string, string> } {
  const limit = unified["memory.swap.max"];
  return limit === undefined ? {} : { annotations: { [NRI_SWAP_ANNOTATION]: limit } };
}

function subject(request: {
  readonly pod?: PodSandbox | undefined;
  readonly container?: Container | undefined;
}): [NriPod, NriContainer] {
  const { pod, container } = request;
  if (pod === undefined || container === undefined)
    throw new StatusError(STATUS.invalidArgument, "the request names no pod, or no container");
  return [podOf(pod), containerOf(container)];
}
