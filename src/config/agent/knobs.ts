import * as v from "valibot";
import type { SwapLimitConfig } from "../../policy/limits/swap-limit.ts";
import { HOOK_DEFAULTS } from "../hook/defaults.ts";
import { NRI_KNOBS } from "../nri/shared.ts";
import { SWAP_LIMIT_KNOBS } from "../swap-limit.ts";
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
import { EVICTION_KNOBS } from "./eviction.ts";

/** Every knob of `wasp agent`, with its default and what it is for. */
export const AgentConfigSchema = v.strictObject({
  ...SWAP_LIMIT_KNOBS,
  nodeSwapLimitBytes: v.pipe(
    v.optional(LimitSchema),
    v.description(
      "Swap for all pods together, a quantity or max; unset, the limit of kubepods is left alone",
    ),
  ),
  dryRun: v.pipe(
    v.optional(SwitchSchema, HOOK_DEFAULTS.dryRun),
    v.description("Decide and report, but write no limit"),
  ),
  ...EVICTION_KNOBS,
  ...NRI_KNOBS,
  podSource: v.pipe(
    v.optional(choiceSchema(["Kubelet", "ApiServer"]), "Kubelet"),
    v.description("Who is asked for the node's pods"),
  ),
  nodeName: v.pipe(
    v.optional(NodeNameSchema),
    v.description("This node's name, which the API server is asked by; NODE_NAME sets it too"),
  ),
  kubeletHost: v.pipe(
    v.optional(HostSchema, "127.0.0.1"),
    v.description("The kubelet's name or address; KUBELET_HOST sets it too"),
  ),
  kubeletPort: v.pipe(
    v.optional(wholeNumberSchema(1, 65535), 10250),
    v.description("The kubelet's authenticated port"),
  ),
  kubeletTokenFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    v.description("The token that the kubelet is shown"),
  ),
  kubeletCaFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("The CA that issued the kubelet's certificate, in PEM"),
  ),
  kubeletServingCertificateFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("The kubelet's own certificate, in PEM, instead of a CA"),
  ),
  kubeletServerName: v.pipe(
    v.optional(HostSchema),
    v.description("The name in the kubelet's certificate, where it is not the host's"),
  ),
  kubeletInsecure: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Look at no certificate: the token is sent to whoever answers"),
  ),
  apiServerUrl: v.pipe(
    v.optional(HttpsUrlSchema),
    v.description("The API server, as in https://10.0.0.1:6443; unset, what a pod's environment says"),
  ),
  apiServerTokenFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/token"),
    v.description("The token that the API server is shown"),
  ),
  apiServerCaFile: v.pipe(
    v.optional(AbsolutePathSchema, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"),
    v.description("The CA that issued the API server's certificate, in PEM"),
  ),
  podPollSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 3600), 30),
    v.description("How often the pods are asked for when nothing happens"),
  ),
  sweepSeconds: v.pipe(
    v.optional(wholeNumberSchema(1, 3600), 60),
    v.description("How often every container's limit is looked at when nothing happens"),
  ),
  maxRestoresPerMinute: v.pipe(
    v.optional(wholeNumberSchema(1, 1000), 10),
    v.description("How often a limit is put back before another writer who fights for it is answered slowly"),
  ),
  httpAddress: v.pipe(
    v.optional(HostSchema, "127.0.0.1"),
    v.description("Where metrics and health are served"),
  ),
  httpPort: v.pipe(
    v.optional(wholeNumberSchema(0, 65535), 9809),
    v.description("The port of metrics and health, 0 for any free one"),
  ),
  httpCertificateFile: v.pipe(
    v.optional(AbsolutePathSchema),
    v.description("Serve over TLS with this certificate, in PEM; it needs its key"),
  ),
  httpKeyFile: v.pipe(v.optional(AbsolutePathSchema), v.description("The key of that certificate, in PEM")),
  logFormat: v.pipe(
    v.optional(choiceSchema(["Json", "Human"]), "Human"),
    v.description("Log lines for programs or for people"),
  ),
  verbosity: v.pipe(
    v.optional(wholeNumberSchema(0, 10), 2),
    v.description("How much is logged, 0 to 10, from 4 on for debugging; VERBOSITY sets it too"),
  ),
  fsroot: v.pipe(
    v.optional(RootSchema, "/"),
    v.description("Where the host's /proc and /sys are found; FSROOT sets it too"),
  ),
});

type Knobs = v.InferOutput<typeof AgentConfigSchema>;

/** The configuration of `wasp agent`; its fsroot has no slash at the end. */
export interface AgentConfig extends SwapLimitConfig, Readonly<Omit<Knobs, keyof SwapLimitConfig>> {}

/** The name of a knob of `wasp agent`. */
export type AgentKnob = keyof AgentConfig;

/** Every knob of `wasp agent`, in the order in which they are shown. */
export const AGENT_KNOBS: readonly AgentKnob[] = Object.keys(AgentConfigSchema.entries) as AgentKnob[];

/** What `wasp agent` is told for one run, and no configuration file can tell. */
export interface RunOptions {
  readonly configFile: string | undefined;
  /** Print the configuration, and end. */
  readonly printConfig: boolean;
  /** Look at every container once, and end. */
  readonly once: boolean;
}

/** The flags of `wasp agent` that are no knobs; RunOptions is what becomes of them. */
export const RUN_FLAGS = {
  config: v.pipe(
    v.optional(v.string()),
    v.description("Read knobs from this YAML file; the environment and flags come before it"),
  ),
  printConfig: v.pipe(
    v.optional(SwitchSchema, false),
    v.description("Print every knob, and where it was set, as a file for --config; do nothing else"),
  ),
  once: v.pipe(v.optional(SwitchSchema, false), v.description("Look at every container once, and end")),
};

// Lists of thresholds and classes are no words on a command line.
const { evictionThresholds: _, memoryQos: __, ...FLAG_KNOBS } = AgentConfigSchema.entries;

/** Every flag of `wasp agent`. */
export const AgentFlagsSchema = v.strictObject({ ...RUN_FLAGS, ...FLAG_KNOBS });
