/** containerd on the node, with NRI on and the cgroup driver that the kubelet has there, and an image for its containers. */
import { type CriClient, criClient } from "./cri.ts";
import type { Guest } from "./guest.ts";
import { containerRootfs } from "./image.ts";

/** The image of every container, which sleeps unless told otherwise. */
export const busyboxImage = "localhost/busybox:test";

/** The socket for plugins. */
export const nriSocket = "/run/nri/nri.sock";

/** Where the runtime finds plugins that it launches itself, and their configuration. */
export const nriFolders = { plugins: "/opt/nri/plugins", configurations: "/etc/nri/conf.d" } as const;

const criSocket = "/run/containerd/containerd.sock";
const configFile = "/etc/containerd/config.toml";
const patienceSeconds = 60;

/** The one that its package comes with has NRI off, and names a pause image of a registry. */
const config = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${busyboxImage}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = true
[plugins."io.containerd.nri.v1.nri"]
  disable = false
  socket_path = "${nriSocket}"
  plugin_path = "${nriFolders.plugins}"
  plugin_config_path = "${nriFolders.configurations}"
`;

/** Makes an image of the containers' root, as an archive of Docker's kind, and has containerd keep it. */
const importImage = `set -e
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
  static async start(guest: Guest): Promise<Containerd> {
    await guest.must(`cp --no-clobber ${configFile} ${configFile}.packaged; cat > ${configFile}`, {
      stdin: config,
    });
    await guest.must("systemctl start containerd");
    await guest.must(importImage);
    const containerd = new Containerd(guest, criClient(await guest.forward(criSocket)));
    await containerd.untilReady();
    return containerd;
  }

  /** Waits until it answers, as it does a while after it was started again. */
  async untilReady(): Promise<void> {
    const deadline = Date.now() + patienceSeconds * 1000;
    for (;;) {
      try {
        await this.cri.version({});
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await Bun.sleep(100);
      }
    }
  }

  /** Has systemd start it anew, under its containers. */
  async restart(): Promise<void> {
    await this.#guest.must("systemctl restart containerd");
    await this.untilReady();
  }

  /** Its log since it was started for the first time, a line each. */
  async log(): Promise<string> {
    return await this.#guest.must("journalctl --unit=containerd --output=cat --no-pager");
  }

  /** Removes all pods with their containers, stops it, and puts back what was there. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { items } = await this.cri.listPodSandbox({});
    for (const { id } of items) {
      await this.cri.stopPodSandbox({ podSandboxId: id });
      await this.cri.removePodSandbox({ podSandboxId: id });
    }
    this.cri[Symbol.dispose]();
    await this.#guest.must(
      `systemctl stop containerd kubepods.slice; mv ${configFile}.packaged ${configFile}`,
    );
  }
}
