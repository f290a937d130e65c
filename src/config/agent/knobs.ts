import * as v from "valibot";
import { DEBUG_VERBOSITY, LOG_FORMATS } from "../../log/logger.ts";
import { SWAP_LIMIT_OWNERS } from "../../policy/limits/stand-down.ts";
import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "../hook/defaults.ts";
import { knob, optionalKnob, switchKnob } from "../knob.ts";
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

const TOKEN_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** Knobs of `wasp agent`, with their defaults and descriptions. */
export const AgentConfigSchema = v.strictObject({
  ...SWAP_LIMIT_KNOBS,
  swapLimits: knob(
    choiceSchema(SWAP_LIMIT_OWNERS),
    "Auto",
    "Set swap limits unless the kubelet sets them itself (Auto), or leave them to the kubelet",
  ),
  nodeSwapLimitBytes: optionalKnob(
    LimitSchema,
    "Swap limit of all pods together, a quantity or max; unset, the limit of kubepods is not changed",
  ),
  dryRun: knob(SwitchSchema, HOOK_DEFAULTS.dryRun, "Decide and report, without writing a limit"),
  ...EVICTION_KNOBS,
  ...NRI_KNOBS,
  podSource: knob(choiceSchema(["Kubelet", "ApiServer"]), "Kubelet", "Source of the node's pods"),
  nodeName: optionalKnob(NodeNameSchema, "Name of this node at the API server; NODE_NAME sets it too"),
  kubeletHost: knob(HostSchema, "127.0.0.1", "Host name or address of the kubelet; KUBELET_HOST sets it too"),
  kubeletPort: knob(wholeNumberSchema(1, 65535), 10250, "Authenticated port of the kubelet"),
  kubeletTokenFile: knob(AbsolutePathSchema, TOKEN_FILE, "File of the bearer token for the kubelet"),
  kubeletCaFile: optionalKnob(
    AbsolutePathSchema,
    "File of the CA that issued the kubelet's certificate, in PEM",
  ),
  kubeletServingCertificateFile: optionalKnob(
    AbsolutePathSchema,
    "File of the kubelet's own certificate, in PEM, instead of a CA",
  ),
  kubeletServerName: optionalKnob(HostSchema, "Name in the kubelet's certificate, if it is not the host's"),
  kubeletInsecure: switchKnob(
    "Do not verify the kubelet's certificate: any server at its address gets the token",
  ),
  apiServerUrl: optionalKnob(
    HttpsUrlSchema,
    "URL of the API server, as in https://10.0.0.1:6443; unset, that of the pod's environment",
  ),
  apiServerTokenFile: knob(AbsolutePathSchema, TOKEN_FILE, "File of the bearer token for the API server"),
  apiServerCaFile: knob(
    AbsolutePathSchema,
    "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    "File of the CA that issued the API server's certificate, in PEM",
  ),
  podPollSeconds: knob(
    wholeNumberSchema(1, 3600),
    30,
    "Longest time between two requests for the node's pods, in seconds",
  ),
  sweepSeconds: knob(
    wholeNumberSchema(1, 3600),
    60,
    "Longest time between two checks of all containers' limits, in seconds",
  ),
  maxRestoresPerMinute: knob(
    wholeNumberSchema(1, 1000),
    10,
    "Number of times in a minute that a limit changed by another program is restored at once; beyond, once a minute",
  ),
  httpAddress: knob(HostSchema, "127.0.0.1", "Address on which metrics and health are served"),
  httpPort: knob(wholeNumberSchema(0, 65535), 9809, "Port of metrics and health, 0 for a free one"),
  httpCertificateFile: optionalKnob(
    AbsolutePathSchema,
    "File of the certificate for serving over TLS, in PEM; needs its key",
  ),
  httpKeyFile: optionalKnob(AbsolutePathSchema, "File of the key of that certificate, in PEM"),
  logFormat: knob(choiceSchema(LOG_FORMATS), "Human", "Format of log lines, for programs or for people"),
  verbosity: knob(
    wholeNumberSchema(0, 10),
    2,
    `Verbosity of the log, 0 to 10, with debugging from ${DEBUG_VERBOSITY}; VERBOSITY sets it too`,
  ),
  fsroot: knob(RootSchema, "/", "Root folder of the host's /proc and /sys; FSROOT sets it too"),
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
  config: optionalKnob(v.string(), "Configuration file, in YAML; the environment and flags take precedence"),
  printConfig: switchKnob("Print every knob with its source, as a file for --config, and exit"),
  once: switchKnob("Reconcile every container once and exit"),
};

// Lists of thresholds and classes have no flag.
const { evictionThresholds: _, memoryQos: __, ...FLAG_KNOBS } = AgentConfigSchema.entries;

/** Flags of `wasp agent`. */
export const AgentFlagsSchema = v.strictObject({ ...RUN_FLAGS, ...FLAG_KNOBS });
