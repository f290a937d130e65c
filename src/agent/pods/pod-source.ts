import { existsSync } from "node:fs";
import { gc } from "bun";
import { type ApiServerOptions, inClusterUrl } from "../../cluster/api-server.ts";
import { Kubelet } from "../../cluster/kubelet.ts";
import type { PodList } from "../../cluster/pod-list.ts";
import { PodWatch } from "../../cluster/pod-watch.ts";
import type { Trust } from "../../cluster/trust.ts";
import type { AgentConfig } from "../../config/agent/knobs.ts";
import { PodPoller } from "./pod-poller.ts";

/** Whom a source of pods tells. */
export interface PodSourceListener {
  /** All pods of the node; durationSeconds is what a list took, undefined where it was no list. */
  onPods(list: PodList, durationSeconds: number | undefined): void;
  /** The pods could not be learned; there is another try in so many seconds. */
  onError(error: Error, retrySeconds: number): void;
}

/** Where the node's pods come from, as long as it is not closed. */
export interface PodSource {
  /** Asks for them soon, where they do not come by themselves. */
  ask(): void;
  close(): void;
}

const KUBELET_TIMEOUT_MILLISECONDS = 10_000;
const API_SERVER_TIMEOUT_MILLISECONDS = 30_000;
// etcd holds an object to 1.5 MiB of its own encoding, unless told otherwise.
const MAX_EVENT_BYTES = 8 * 2 ** 20;
// A node has 110 pods by default, and few have more than 500, of 10 to 50 KiB each.
const MAX_LIST_BYTES = 64 * 2 ** 20;
const SERVICE_ACCOUNT_CA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
// Made by the kubelet where nobody gave it another (kubernetes cmd/kubelet/app/server.go, InitializeTLS).
const SELF_SIGNED = "/var/lib/kubelet/pki/kubelet.crt";

/** The kubelet of the node, as the configuration has it; throws an Error where nothing tells who that is. */
export function kubeletOf(config: AgentConfig): Kubelet {
  return new Kubelet({
    host: config.kubeletHost,
    port: config.kubeletPort,
    tokenFile: config.kubeletTokenFile,
    trust: trustOf(config),
    timeoutMilliseconds: KUBELET_TIMEOUT_MILLISECONDS,
    maxBodyBytes: MAX_LIST_BYTES,
  });
}

function trustOf(config: AgentConfig): Trust {
  const { kubeletCaFile, kubeletServingCertificateFile, kubeletServerName, fsroot } = config;
  if (config.kubeletInsecure) return { kind: "insecure" };
  if (kubeletServingCertificateFile !== undefined)
    return { kind: "serving-certificate", file: kubeletServingCertificateFile };
  if (kubeletCaFile !== undefined) return { kind: "ca", file: kubeletCaFile, serverName: kubeletServerName };
  const selfSigned = fsroot + SELF_SIGNED;
  if (existsSync(selfSigned)) return { kind: "serving-certificate", file: selfSigned };
  if (existsSync(SERVICE_ACCOUNT_CA))
    return { kind: "ca", file: SERVICE_ACCOUNT_CA, serverName: kubeletServerName };
  throw new Error(
    `nothing tells who is the kubelet: there is neither ${selfSigned} nor ${SERVICE_ACCOUNT_CA}; ` +
      "give --kubelet-ca-file or --kubelet-serving-certificate-file",
  );
}

/** What a source of pods needs to know of the agent. */
export interface PodSourceOptions {
  readonly config: () => AgentConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly kubelet: Kubelet;
  /** Done before the first pods, and now and then; never fails. */
  readonly prepare: () => Promise<void>;
  /** Whether the pods that came last do not tell of every container. */
  readonly isWanting: () => boolean;
}

/** Begins to follow the node's pods where the configuration says; throws an Error when the API server is not known. */
export function followPods(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  return options.config().podSource === "Kubelet"
    ? pollKubelet(options, listener)
    : watchApiServer(options, listener);
}

function pollKubelet(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  const { config, kubelet, prepare, isWanting } = options;
  return new PodPoller({
    list: async () => {
      await prepare();
      return await kubelet.pods();
    },
    pollSeconds: () => config().podPollSeconds,
    isWanting,
    onPods: (list, durationSeconds) => {
      listener.onPods(list, durationSeconds);
      // A list leaves more behind than the agent holds, and the collector by itself would let several of them come.
      gc(true);
    },
    onError: (error, retrySeconds) => listener.onError(error, retrySeconds),
    random: Math.random,
  });
}

/** Where the API server is, as the configuration or a pod's environment has it; throws an Error where neither does. */
export function apiServerOptionsOf(
  { apiServerUrl, apiServerTokenFile, apiServerCaFile }: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): ApiServerOptions {
  return {
    baseUrl: apiServerUrl ?? inClusterUrl(env),
    tokenFile: apiServerTokenFile,
    caFile: apiServerCaFile,
    timeoutMilliseconds: API_SERVER_TIMEOUT_MILLISECONDS,
    maxBodyBytes: MAX_LIST_BYTES,
    maxLineBytes: MAX_EVENT_BYTES,
  };
}

function watchApiServer(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  const { nodeName = "" } = options.config();
  const apiServer = apiServerOptionsOf(options.config(), options.env);
  let watch: PodWatch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  // The watch tells nothing of the kubelet, which may not have answered yet, or answer otherwise after a restart.
  const keepPrepared = async () => {
    await options.prepare();
    if (isClosed) return;
    watch ??= new PodWatch(
      { ...apiServer, nodeName },
      {
        onPods: (list) => listener.onPods(list, undefined),
        onError: (error, retryInMilliseconds) => listener.onError(error, retryInMilliseconds / 1000),
      },
    );
    timer = setTimeout(() => void keepPrepared(), options.config().podPollSeconds * 1000);
  };
  void keepPrepared();
  return {
    ask: () => {},
    close: () => {
      isClosed = true;
      clearTimeout(timer);
      watch?.close();
    },
  };
}
