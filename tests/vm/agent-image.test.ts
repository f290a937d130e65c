/** The agent in its image, with its manifest's arguments, configuration and rights. */
import { beforeAll, describe, expect, test } from "bun:test";
import { imageCommand, loadImage, manifestArgs, manifestConfig, mountPathOf } from "./agent-image.ts";
import { runtimes } from "./container.ts";
import { scaledSeconds } from "./deadline.ts";
import { quote } from "./guest.ts";
import { GuestAgent } from "./guest-agent.ts";
import { startNode } from "./node.ts";
import { NodePods } from "./node-pods.ts";

const guest = await startNode();
const name = "wasp-agent";
const configFolder = "/run/wasp-config";
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

let pods: NodePods;

beforeAll(async () => {
  await loadImage(guest);
  await guest.must(`systemctl start kubepods.slice; mkdir ${configFolder}`);
  for (const [file, text] of Object.entries(manifestConfig))
    await guest.must(`cat > ${configFolder}/${file}`, { stdin: text });
  pods = await NodePods.start(guest);
});

describe.each(runtimes)("the agent's image under %s", (runtime) => {
  const command = (...flags: string[]) => {
    const { folder, port } = { folder: pods.folder, port: pods.kubelet.port };
    const volumes = [`${configFolder}:${mountPathOf("config")}:ro`, `${folder}:${accountFolder}:ro`];
    return imageCommand(runtime, {
      flags: [
        ...flags,
        "--name",
        name,
        "--network",
        "host",
        ...volumes.flatMap((volume) => ["--volume", volume]),
      ],
      env: { NODE_NAME: "node", KUBELET_HOST: "10.0.2.2" },
      args: [...argsOfManifest(), `--kubelet-port=${port}`],
    });
  };

  test("keeps limits exact, and excludes other agents until it is killed", async () => {
    await guest.must(command("--detach"));
    try {
      await untilReady();
      const container = await pods.runListed(runtime, { requestBytes: 40_000_001, memory: "64m" });
      await pods.untilExact(container);
      await guest.must(container.own.map((level) => `echo max > ${level}/memory.swap.max`).join("; "));
      await pods.untilExact(container);
      await pods.remove(container);

      const another = await guest.run(`wasp agent ${pods.flags.map(quote).join(" ")}`);
      expect(another.code).toBe(1);
      expect(another.stderr).toContain("another wasp agent runs on this node");

      await guest.must(`podman kill --signal KILL ${name}; podman wait ${name}`);
      await using _agent = await GuestAgent.start(guest, pods.flags);
    } finally {
      await guest.must(`podman logs ${name}; podman rm --force --time 0 ${name}`);
    }
  });

  // By the lock of the node, whichever runtime started it.
  if (runtime === "crun")
    test("exits if another agent is running on the node", async () => {
      await using _agent = await GuestAgent.start(guest, pods.flags);
      const { code, stderr } = await guest.run(command("--rm"));
      expect(code).toBe(1);
      expect(stderr).toContain("another wasp agent runs on this node");
    });
});

/** Returns the manifest's arguments with the kubelet's substitutions, and the kubelet's certificate instead of its CA. */
function argsOfManifest(): string[] {
  const ca = `--kubelet-ca-file=${accountFolder}/ca.crt`;
  expect(manifestArgs.at(-1)).toBe(ca);
  const args = manifestArgs.slice(0, -1).map((arg) => arg.replace("$(POD_IP)", "127.0.0.1"));
  return [...args, `--kubelet-serving-certificate-file=${accountFolder}/kubelet.pem`];
}

async function untilReady(): Promise<void> {
  await guest.must(`until (( SECONDS > ${scaledSeconds(60)} )); do
      busybox wget -qO /dev/null http://127.0.0.1:9809/readyz 2> /dev/null && exit
      sleep 0.1
    done
    podman logs ${name} >&2
    exit 1`);
}
