// Minimal plugin, as the base for measuring the protocol: `bun tests/bench/nri-plugin.ts SOCKET`. It sets memory.high
// of each container to its limit.
import { NriPlugin } from "../../src/nri/plugin.ts";

const socket = process.argv.at(-1) ?? "";
await new NriPlugin({
  name: "plain",
  index: "10",
  socket,
  isExitedOnDisconnect: true,
  report() {},
  handlers: {
    configure() {},
    synchronize: () => [],
    createContainer: (_, { memoryLimitBytes }) => ({ "memory.high": String(memoryLimitBytes) }),
    updateContainer: () => ({}),
    stopContainer() {},
    startedContainer() {},
    removeContainer() {},
    disconnected() {},
  },
}).ended;
