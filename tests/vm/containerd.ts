/** containerd on the node, with NRI on, the kubelet's cgroup driver, and an image for its containers. */

import { type CriClient, criClient } from "./cri.ts";
import { retried } from "./deadline.ts";
import type { Guest } from "./guest.ts";
import { containerRootfs, nextContainerdFolder } from "./image-recipe.ts";

/** Image of every container; by default it sleeps. */
export const busyboxImage = "localhost/busybox:test";

/** NRI socket that plugins connect to. */
export const nriSocket = "/run/nri/nri.sock";

/** Folders of plugins that the runtime starts itself, and of their configuration. */
export const nriFolders = { plugins: "/opt/nri/plugins", configurations: "/etc/nri/conf.d" } as const;

/** Versions on the node: its package's, and the next. */
export const containerdVersions = ["1.7", "2"] as const;

/** One of these versions. */
export type ContainerdVersion = (typeof containerdVersions)[number];

const CRI_SOCKET = "/run/containerd/containerd.sock";
const FOLDER = "/run/wasp-containerd";

/** Path of the configuration. */
export const containerdConfig = `${FOLDER}/config.toml`;

const LOG = `${FOLDER}/log`;
const DROP_IN_FOLDER = "/run/systemd/system/containerd.service.d";
const PATIENCE_SECONDS = 120;

/** NRI section of the configuration: time-outs for plugins, by default containerd's own, or no section at all. */
export type NriSettings =
  | { readonly registrationSeconds?: number; readonly requestSeconds?: number }
  | "no-section";

/** The package's own configuration has NRI off, and its pause image is in a registry. */
function configOf(nri: NriSettings, version: ContainerdVersion): string {
  // An older version cannot read what a newer one has written.
  return `version = 2
root = "/var/lib/containerd-${version}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${busyboxImage}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
${nri === "no-section" ? "" : nriSection(nri)}`;
}

function nriSection({ registrationSeconds = 5, requestSeconds = 2 }: Exclude<NriSettings, string>): string {
  return `[plugins."io.containerd.nri.v1.nri"]
  disable = false
  socket_path = "${nriSocket}"
  plugin_path = "${nriFolders.plugins}"
  plugin_config_path = "${nriFolders.configurations}"
  plugin_registration_timeout = "${registrationSeconds}s"
  plugin_request_timeout = "${requestSeconds}s"
`;
}

/** Drop-in with the tests' configuration, and a log file that is cheap to search. */
function dropInOf(path: string): string {
  return `[Service]
Environment=PATH=${path}
ExecStart=
ExecStart=env containerd --config ${containerdConfig}
StandardError=append:${LOG}
`;
}

/** Returns a PATH in which a version's programs come first. */
function pathOf(version: ContainerdVersion): string {
  const usual = "/usr/sbin:/usr/bin:/sbin:/bin";
  return version === "2" ? `${nextContainerdFolder}:${usual}` : usual;
}

/** Script that packs the containers' root file system as a Docker archive, and imports it. */
export const importImageScript = `set -e
  folder=$(mktemp --directory --tmpdir=/run image-XXXXXX)
  cd $folder
  tar --create --file layer.tar --directory ${containerRootfs} .
  layer=$(sha256sum layer.tar | cut -d' ' -f1)
  architecture=$(dpkg --print-architecture)
  jq --null-input --arg layer sha256:$layer --arg architecture $architecture '{
    os: "linux", $architecture, rootfs: { type: "layers", diff_ids: [$layer] },
    config: { Cmd: ["sleep", "infinity"], Env: ["PATH=/bin"] }
  }' > config.json
  echo '[{"Config": "config.json", "RepoTags": ["${busyboxImage}"], "Layers": ["layer.tar"]}]' > manifest.json
  tar --create * | ctr --namespace k8s.io images import - > /dev/null
  rm -r $folder`;

/** Imports the containers' image into each version's storage. */
export async function importImages(guest: Guest): Promise<void> {
  for (const version of containerdVersions) {
    await startUnit(guest, "no-section", version);
    await guest.must(`PATH=${pathOf(version)}; ${importImageScript}`);
    await guest.must(REMOVE_UNIT);
  }
}

async function startUnit(guest: Guest, nri: NriSettings, version: ContainerdVersion): Promise<void> {
  await guest.must(`mkdir ${FOLDER} ${DROP_IN_FOLDER}; cat > ${containerdConfig}`, {
    stdin: configOf(nri, version),
  });
  await guest.must(`cat > ${DROP_IN_FOLDER}/test.conf; systemctl daemon-reload; systemctl start containerd`, {
    stdin: dropInOf(pathOf(version)),
  });
}

const REMOVE_UNIT = `systemctl stop containerd; rm -r ${FOLDER} ${DROP_IN_FOLDER}; systemctl daemon-reload`;

/** The node's containerd, which runs until it is disposed of. */
export class Containerd implements AsyncDisposable {
  readonly cri: CriClient;
  readonly #guest: Guest;

  private constructor(guest: Guest, cri: CriClient) {
    this.#guest = guest;
    this.cri = cri;
  }

  /** Starts containerd, and waits until it answers. */
  static async start(
    guest: Guest,
    nri: NriSettings = {},
    version: ContainerdVersion = "1.7",
  ): Promise<Containerd> {
    await startUnit(guest, nri, version);
    const containerd = new Containerd(guest, criClient(await guest.forward(CRI_SOCKET)));
    await containerd.#untilReady();
    return containerd;
  }

  /** Restarts containerd, but not its containers, and waits until it answers. */
  async restart(): Promise<void> {
    await this.#guest.must("systemctl restart containerd");
    await this.#untilReady();
  }

  /**
   * Runs an action that makes a plugin connect, and waits until the runtime calls the plugin for new containers. While the
   * runtime still applies the plugin's answer about existing containers, it does not.
   */
  async connecting<Result>(plugin: string, action: () => Promise<Result>): Promise<Result> {
    const count = `grep --count 'plugin .*${plugin}.* connected' ${LOG}`;
    const before = Number((await this.#guest.run(count)).stdout);
    const result = await action();
    const isConnected = `(( $(${count}) > ${before} ))`;
    await this.#guest.must(`until ${isConnected}; do sleep 0.1; done`, { timeoutSeconds: PATIENCE_SECONDS });
    return result;
  }

  /** Returns the log since the first start, a line each. */
  async log(): Promise<string> {
    return await this.#guest.must(`cat ${LOG}`);
  }

  /** Removes all pods with their containers, stops containerd, and removes its configuration. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { items } = await this.cri.listPodSandbox({});
    // All at once: the runtime would end them one by one.
    if (items.length > 0) await this.#guest.must("systemctl kill --signal=KILL kubepods.slice");
    // The runtime refuses while it has not noticed yet that they are dead. The kubelet repeats the request too.
    for (const { id } of items) await untilAccepted(() => this.#remove(id));
    this.cri[Symbol.dispose]();
    await this.#guest.must(`systemctl stop kubepods.slice; ${REMOVE_UNIT}`);
  }

  /** Waits until containerd answers, which it does a while after its start. */
  async #untilReady(): Promise<void> {
    await untilAccepted(() => this.cri.version({}));
  }

  async #remove(podSandboxId: string): Promise<void> {
    await this.cri.stopPodSandbox({ podSandboxId });
    await this.cri.removePodSandbox({ podSandboxId });
  }
}

async function untilAccepted(request: () => Promise<unknown>): Promise<void> {
  let refusal: unknown;
  await retried(
    PATIENCE_SECONDS,
    async () => {
      try {
        await request();
        return true;
      } catch (error) {
        refusal = error;
        return undefined;
      }
    },
    () => `containerd refuses: ${refusal}`,
  );
}
