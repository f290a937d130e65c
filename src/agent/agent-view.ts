import { readNodeFigures } from "../host/node-figures.ts";
import type { PressureMonitor } from "./eviction/pressure-monitor.ts";
import type { LimitAgent } from "./limits/limit-agent.ts";
import type { AgentView } from "./metrics/view.ts";

/** Parts of the agent that its view shows. */
export interface ViewedParts {
  readonly limits: LimitAgent;
  readonly pressure: PressureMonitor;
  readonly isNriConnected: () => boolean;
  readonly fsroot: string;
  readonly pageBytes: number;
}

// The loop ticks each second; a pass over a thousand containers takes a tenth of one.
const ALIVE_SECONDS = 30;

/** Returns the state of the agent for its metrics and health checks, as it is at each look. */
export function agentView({ limits, pressure, isNriConnected, fsroot, pageBytes }: ViewedParts): AgentView {
  return {
    containers: () => limits.containers(),
    node: () => {
      const [kubepods] = limits.kubepods;
      const path = kubepods && kubepods.mount + kubepods.path;
      return readNodeFigures(fsroot, path, pageBytes);
    },
    get isReady() {
      return limits.isReady;
    },
    get blindness() {
      // Without limits to keep, an unseen container lacks nothing.
      return limits.standsDown === undefined ? limits.sight.blindness : undefined;
    },
    get isAlive() {
      return limits.isAliveWithin(ALIVE_SECONDS);
    },
    get isStoodDown() {
      return limits.standsDown !== undefined;
    },
    get isNriConnected() {
      return isNriConnected();
    },
    signals: () => pressure.observation,
    thresholds: () => pressure.thresholds,
    holdReason: () => pressure.holdReason,
    reach: () => pressure.reach,
  };
}
