import * as v from "valibot";
import { DEBUG_VERBOSITY, LOG_FORMATS } from "../../log/logger.ts";
import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "../hook/defaults.ts";
import { NRI_KNOBS } from "../nri/plugin-knobs.ts";
import { SWAP_LIMIT_KNOBS } from "../swap-limit-knobs.ts";
import {
  AbsolutePathSchema,
  choiceSchema,
  HostSchema,
  HttpsUrlSchema,
  LimitSchema,
  NodeNameSchema,
  RootSchema,
  SwitchSchema,
  wholeNumberSchema,
} from "../value-schemas.ts";
import { EVICTION_KNOBS } from "./eviction-knobs.ts";

/** Knobs of `wasp agent`, with their defaults and descriptions. */
export const AgentConfigSchema = v.strictObject({
  ...SWAP_LIMIT_KNOBS,
  nodeSwapLimitBytes: v.pipe(
    v.optional(LimitSchema),
    v.description(
      "Swap limit of all pods together, a quantity or max; unset, the limit of kubepods is not changed",
    ),
  ),
  dryRun: v.pipe(
    v.optional(SwitchSchema, HOOK_DEFAULTS.dryRun),
    v.description("Decide and report, without writing a limit"),
  ),
  ...EVICTION_KNOBS,
  ...NRI_KNOBS,
  podSource: v.pipe(
    v.optional(choiceSchema(["Kubelet", "ApiServer"]), "Kubelet"),
    v.description("Source of the node's pods"),
  ),
  nodeName: v.pipe(
    v.optional(NodeNameSchema),
    v.description("Name of this node at the API server; NODE_NAME sets it too"),
  ),
  kubeletHost: v.pipe(
    v.optional(HostSchema, "127.0.0.1"),
    v.description("Host name or address of the kubelet; KUBELET_HOST sets it too"),
  ),
  kubeletPort: v.pipe(
    v.optional(wholeNumberSchema(1, 65535), 10250),
    v.description("Authenticated port of the kubelet"),
  ),
  kubeletTokenFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    v.description("File of the bearer token for the kubelet"),
  ),
  kubeletCaFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("File of the CA that issued the kubelet's certificate, in PEM"),
  ),
  kubeletServingCertificateFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("File of the kubelet's own certificate, in PEM, instead of a CA"),
  ),
  kubeletServerName: v.pipe(
    v.optional(HostSchema),
    v.description("Name in the kubelet's certificate, if it is not the host's"),
  ),
  kubeletInsecure: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Do not verify the kubelet's certificate: any server at its address gets the token"),
  ),
  apiServerUrl: v.pipe(
    v.optional(HttpsUrlSchema),
    v.description("URL of the API server, as in https://10.0.0.1:6443; unset, that of the pod's environment"),
  ),
  apiServerTokenFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    v.description("File of the bearer token for the API server"),
  ),
  apiServerCaFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"),
    v.description("File of the CA that issued the API server's certificate, in PEM"),
  ),
  podPollSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 3600), 30),
    v.description("Longest time between two requests for the node's pods, in seconds"),
  ),
  sweepSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 3600), 60),
    v.description("Longest time between two checks of all containers' limits, in seconds"),
  ),
  maxRestoresPerMinute: v.pipe(
    v.optional(wholeNumberSchema(1, 1000), 10),
    v.description(
      "Number of times in a minute that a limit changed by another program is restored at once; beyond, once a minute",
    ),
  ),
  httpAddress: v.pipe(
    v.optional(HostSchema, "127.0.0.1"),
    v.description("Address on which metrics and health are served"),
  ),
  httpPort: v.pipe(
    v.optional(wholeNumberSchema(0, 65535), 9809),
    v.description("Port of metrics and health, 0 for a free one"),
  ),
  httpCertificateFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("File of the certificate for serving over TLS, in PEM; needs its key"),
  ),
  httpKeyFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("File of the key of that certificate, in PEM"),
  ),
  logFormat: v.pipe(
    v.optional(choiceSchema(LOG_FORMATS), "Human"),
    v.description("Format of log lines, for programs or for people"),
  ),
  verbosity: v.pipe(
    v.optional(wholeNumberSchema(0, 10), 2),
    v.description(
      `Verbosity of the log, 0 to 10, with debugging from ${DEBUG_VERBOSITY}; VERBOSITY sets it too`,
    ),
  ),
  fsroot: v.pipe(
    v.optional(RootSchema, "/"),
    v.description("Root folder of the host's /proc and /sys; FSROOT sets it too"),
  ),
});

type Knobs = v.InferOutput<typeof AgentConfigSchema>;

/** Configuration of `wasp agent`; its fsroot has no slash at the end. */
export interface AgentConfig extends SwapLimitConfig, Readonly<Omit<Knobs, keyof SwapLimitConfig>> {}

/** Name of a knob of `wasp agent`. */
export type AgentKnob = keyof AgentConfig;

/** Names of all knobs of `wasp agent`, in their order on screens. */
export const AGENT_KNOBS: readonly AgentKnob[] = Object.keys(AgentConfigSchema.entries) as AgentKnob[];

/** Options of one run of `wasp agent`, which a configuration file cannot set. */
export interface RunOptions {
  readonly configFile: string | undefined;
  /** Print the configuration and exit. */
  readonly printConfig: boolean;
  /** Reconcile every container once and exit. */
  readonly once: boolean;
}

/** Flags of RunOptions. */
export const RUN_FLAGS = {
  config: v.pipe(
    v.optional(v.string()),
    v.description("Configuration file, in YAML; the environment and flags take precedence"),
  ),
  printConfig: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Print every knob with its source, as a file for --config, and exit"),
  ),
  once: v.pipe(v.optional(SwitchSchema, false), v.description("Reconcile every container once and exit")),
};

// Lists of thresholds and classes have no flag.
const { evictionThresholds: _, memoryQos: __, ...FLAG_KNOBS } = AgentConfigSchema.entries;

/** Flags of `wasp agent`. */
export const AgentFlagsSchema = v.strictObject({ ...RUN_FLAGS, ...FLAG_KNOBS });
