import { existsSync } from "node:fs";
import { gc } from "bun";
import { type ApiServerOptions, inClusterUrl } from "../../cluster/api-server.ts";
import { Kubelet } from "../../cluster/kubelet.ts";
import type { PodList } from "../../cluster/pod-list.ts";
import { PodWatch } from "../../cluster/pod-watch.ts";
import type { Trust } from "../../cluster/trust.ts";
import type { AgentConfig } from "../../config/agent/knobs.ts";
import { PodPoller } from "./pod-poller.ts";

/** Receiver of the node's pods. */
export interface PodSourceListener {
  /** Called with all pods of the node; `durationSeconds` is that of the list request, undefined for a watch. */
  onPods(list: PodList, durationSeconds: number | undefined): void;
  /** Called if the pods could not be listed, with the time to the next attempt. */
  onError(error: Error, retrySeconds: number): void;
}

/** A running source of the node's pods. */
export interface PodSource {
  /** Requests a list soon; does nothing for a watch. */
  ask(): void;
  close(): void;
}

const KUBELET_TIMEOUT_MILLISECONDS = 10_000;
const API_SERVER_TIMEOUT_MILLISECONDS = 30_000;
// etcd limits an object to 1.5 MiB of its own encoding by default, of which a byte may become six in JSON.
const MAX_EVENT_BYTES = 16 * 2 ** 20;
const MAX_BODY_BYTES = 16 * 2 ** 20;
const SERVICE_ACCOUNT_CA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
// Made by the kubelet if it was given no certificate (kubernetes cmd/kubelet/app/server.go, InitializeTLS).
const SELF_SIGNED = "/var/lib/kubelet/pki/kubelet.crt";

/** Returns the client of the node's kubelet; throws an Error if nothing identifies the kubelet's certificate. */
export function kubeletOf(config: AgentConfig): Kubelet {
  return new Kubelet({
    host: config.kubeletHost,
    port: config.kubeletPort,
    tokenFile: config.kubeletTokenFile,
    trust: trustOf(config),
    timeoutMilliseconds: KUBELET_TIMEOUT_MILLISECONDS,
    maxBodyBytes: MAX_BODY_BYTES,
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
    `the kubelet's certificate cannot be verified: there is neither ${selfSigned} nor ${SERVICE_ACCOUNT_CA}; ` +
      "give --kubelet-ca-file or --kubelet-serving-certificate-file",
  );
}

/** Options of a source of pods. */
export interface PodSourceOptions {
  readonly config: () => AgentConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly kubelet: Kubelet;
  /** Called before the first list, and periodically; never fails. */
  readonly prepare: () => Promise<void>;
  /** Returns true while the last pods lack a container that has just appeared. */
  readonly isIncomplete: () => boolean;
}

/** Follows the node's pods at the configured source; throws an Error if the API server's address is unknown. */
export function followPods(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  return options.config().podSource === "Kubelet"
    ? pollKubelet(options, listener)
    : watchApiServer(options, listener);
}

function pollKubelet(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  const { config, kubelet, prepare, isIncomplete } = options;
  return new PodPoller({
    list: async () => {
      await prepare();
      return await kubelet.pods();
    },
    pollSeconds: () => config().podPollSeconds,
    isIncomplete,
    onPods: (list, durationSeconds) => {
      listener.onPods(list, durationSeconds);
      // A list leaves more garbage than the agent's heap, and the collector by itself would wait for several lists.
      gc(true);
    },
    onError: (error, retrySeconds) => listener.onError(error, retrySeconds),
    random: Math.random,
  });
}

/** Returns the options of the API server by configuration or a pod's environment; throws an Error if both lack its address. */
export function apiServerOptionsOf(
  { apiServerUrl, apiServerTokenFile, apiServerCaFile }: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
): ApiServerOptions {
  return {
    baseUrl: apiServerUrl ?? inClusterUrl(env),
    tokenFile: apiServerTokenFile,
    caFile: apiServerCaFile,
    timeoutMilliseconds: API_SERVER_TIMEOUT_MILLISECONDS,
    maxBodyBytes: MAX_BODY_BYTES,
    maxLineBytes: MAX_EVENT_BYTES,
  };
}

function watchApiServer(options: PodSourceOptions, listener: PodSourceListener): PodSource {
  const { nodeName = "" } = options.config();
  const apiServer = apiServerOptionsOf(options.config(), options.env);
  let watch: PodWatch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  // The watch does not show the kubelet, which may not have answered yet, or may answer differently after a restart.
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
