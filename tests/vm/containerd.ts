/** containerd on the node, with NRI on and the cgroup driver that the kubelet has there, and an image for its containers. */
import { type CriClient, criClient } from "./cri.ts";
import type { Guest } from "./guest.ts";
import { containerRootfs, nextContainerdFolder } from "./image.ts";

/** The image of every container, which sleeps unless told otherwise. */
export const busyboxImage = "localhost/busybox:test";

/** The socket for plugins. */
export const nriSocket = "/run/nri/nri.sock";

/** Where the runtime finds plugins that it launches itself, and their configuration. */
export const nriFolders = { plugins: "/opt/nri/plugins", configurations: "/etc/nri/conf.d" } as const;

/** The versions that the node has: its package's, and the next. */
export const containerdVersions = ["1.7", "2"] as const;

/** One of them. */
export type ContainerdVersion = (typeof containerdVersions)[number];

const criSocket = "/run/containerd/containerd.sock";
const folder = "/run/wasp-containerd";

/** Its configuration. */
export const containerdConfig = `${folder}/config.toml`;

const log = `${folder}/log`;
const dropIn = "/run/systemd/system/containerd.service.d";
const patienceSeconds = 60;

/** How long containerd waits for plugins, each of its own defaults unless told; or that it is not told of NRI at all. */
export type PluginPatience =
  | { readonly registrationSeconds?: number; readonly requestSeconds?: number }
  | "untold";

/** The one that its package comes with has NRI off, and names a pause image of a registry. */
function configOf(patience: PluginPatience, version: ContainerdVersion): string {
  // An older one cannot read what a newer one has written.
  return `version = 2
root = "/var/lib/containerd-${version}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${busyboxImage}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
${patience === "untold" ? "" : nriOf(patience)}`;
}

function nriOf({ registrationSeconds = 5, requestSeconds = 2 }: Exclude<PluginPatience, string>): string {
  return `[plugins."io.containerd.nri.v1.nri"]
  disable = false
  socket_path = "${nriSocket}"
  plugin_path = "${nriFolders.plugins}"
  plugin_config_path = "${nriFolders.configurations}"
  plugin_registration_timeout = "${registrationSeconds}s"
  plugin_request_timeout = "${requestSeconds}s"
`;
}

/** With a configuration of its own, and a log that is cheap to look for something in. */
function unitOf(path: string): string {
  return `[Service]
Environment=PATH=${path}
ExecStart=
ExecStart=env containerd --config ${containerdConfig}
StandardError=append:${log}
`;
}

/** Where a version's programs are found before all others. */
function pathOf(version: ContainerdVersion): string {
  const usual = "/usr/sbin:/usr/bin:/sbin:/bin";
  return version === "2" ? `${nextContainerdFolder}:${usual}` : usual;
}

/** Makes an image of the containers' root, as an archive of Docker's kind, and has containerd keep it if it has none. */
const importImage = `set -e
  [ -z "$(ctr --namespace k8s.io images list --quiet name==${busyboxImage})" ] || exit 0
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

/** The node's containerd, at work until it is disposed of. */
export class Containerd implements AsyncDisposable {
  readonly cri: CriClient;
  readonly #guest: Guest;

  private constructor(guest: Guest, cri: CriClient) {
    this.#guest = guest;
    this.cri = cri;
  }

  /** Starts it, and waits until it answers. */
  static async start(
    guest: Guest,
    patience: PluginPatience = {},
    version: ContainerdVersion = "1.7",
  ): Promise<Containerd> {
    const path = pathOf(version);
    await guest.must(`mkdir ${folder} ${dropIn}`);
    await guest.must(`cat > ${containerdConfig}`, { stdin: configOf(patience, version) });
    await guest.must(`cat > ${dropIn}/test.conf; systemctl daemon-reload; systemctl start containerd`, {
      stdin: unitOf(path),
    });
    await guest.must(`PATH=${path}; ${importImage}`);
    const containerd = new Containerd(guest, criClient(await guest.forward(criSocket)));
    await containerd.#untilReady();
    return containerd;
  }

  /** Has systemd start it anew, under its containers. */
  async restart(): Promise<void> {
    await this.#guest.must("systemctl restart containerd");
    await this.#untilReady();
  }

  /**
   * Does what has a plugin connect, and waits until the runtime asks it for whatever comes: of what comes earlier, while
   * the runtime does what the plugin said of containers that were there, the plugin is not asked.
   */
  async connecting<Result>(plugin: string, action: () => Promise<Result>): Promise<Result> {
    const count = `grep --count 'plugin .*${plugin}.* connected' ${log}`;
    const before = Number((await this.#guest.run(count)).stdout);
    const result = await action();
    const isThere = `(( $(${count}) > ${before} ))`;
    await this.#guest.must(`until ${isThere}; do sleep 0.1; done`, { timeoutSeconds: patienceSeconds });
    return result;
  }

  /** Its log since its first start, a line each. */
  async log(): Promise<string> {
    return await this.#guest.must(`cat ${log}`);
  }

  /** Removes all pods with their containers, stops it, and puts back what was there. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { items } = await this.cri.listPodSandbox({});
    // All at once: the runtime would end one after the other.
    if (items.length > 0) await this.#guest.must("systemctl kill --signal=KILL kubepods.slice");
    // Again, as the kubelet does, while it has not noticed yet that they are dead.
    for (const { id } of items) await untilDone(() => this.#remove(id));
    this.cri[Symbol.dispose]();
    await this.#guest.must(
      `systemctl stop containerd kubepods.slice; rm -r ${folder} ${dropIn}; systemctl daemon-reload`,
    );
  }

  /** It answers only a while after it was started. */
  async #untilReady(): Promise<void> {
    await untilDone(() => this.cri.version({}));
  }

  async #remove(podSandboxId: string): Promise<void> {
    await this.cri.stopPodSandbox({ podSandboxId });
    await this.cri.removePodSandbox({ podSandboxId });
  }
}

async function untilDone(attempt: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await Bun.sleep(100);
    }
  }
}
