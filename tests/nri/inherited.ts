// A plugin whose runtime left it a socket as descriptor 3: it prints the reason for its end.
import { NriPlugin } from "../../src/nri/plugin.ts";

const plugin = new NriPlugin({
  name: "inherited",
  index: "42",
  socket: 3,
  // Has no effect: it cannot connect again.
  isExitedOnDisconnect: false,
  report() {},
  handlers: {
    configure() {},
    synchronize: () => [],
    createContainer: () => ({ "memory.high": "9".repeat(3_000_000) }),
    updateContainer: () => ({}),
    stopContainer() {},
    startedContainer() {},
    removeContainer() {},
    disconnected() {},
  },
});
console.log(JSON.stringify(await plugin.ended));
