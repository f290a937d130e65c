/**
 * What runs on a node beside wasp, as far as a check reads of it: how it was started, and its files. Services of these
 * names, which do nothing, stand in for it.
 */
import type { Guest } from "./guest.ts";

/** Has a script run a wasp that is not the one that is broken. */
export const WITH_SPARE = "PATH=/run/stand-in:$PATH";

/** Where the kubelet's settings are. */
export const KUBELET_FOLDER = "/run/kubelet";

/** Runs what holds the lock of an agent. */
export const RUN_AGENT = "systemd-run --quiet --collect --unit agent flock /sys/fs/cgroup sleep infinity";

/** Starts a service of this name that does nothing, and tells of itself what these words tell. */
function standIn(name: string, words: string): string {
  const program = `/run/stand-in/${name}`;
  return `
    ln -s /bin/sh ${program}
    printf '[Service]\\nExecStart=${program} -c "sleep infinity; :" ${name} ${words}\\n' > /usr/lib/systemd/system/${name}.service`;
}

/** Gives a host a kubelet, CRI-O, and what else a node has that wasp works on, as far as a check reads of them. */
export async function addServices(guest: Guest): Promise<void> {
  await guest.must(`set -e
    # It outlasts the containers that were in it.
    systemctl stop kubepods.slice
    mkdir /run/stand-in
    cp /usr/local/bin/wasp /run/stand-in
    ${standIn("kubelet", `--config=${KUBELET_FOLDER}/config.yaml --config-dir=${KUBELET_FOLDER}/conf.d`)}
    ${standIn("crio", "")}
    ${standIn("earlyoom", "")}
    ${standIn("systemd-oomd", "")}
    mkdir -p ${KUBELET_FOLDER}/conf.d
    echo 'containerRuntimeEndpoint: unix:///run/crio/crio.sock' > ${KUBELET_FOLDER}/config.yaml
    systemctl daemon-reload
    systemctl start kubelet crio
    ${RUN_AGENT}`);
}

/** Takes them away. */
export async function removeServices(guest: Guest): Promise<void> {
  await guest.must(`set -e
    systemctl stop kubelet crio agent pod
    rm -rf /run/systemd/system/kubepods.slice.d /run/systemd/system.control/kubepods.slice.d ${KUBELET_FOLDER} /run/stand-in /usr/lib/systemd/system/{kubelet,crio,earlyoom,systemd-oomd}.service
    systemctl daemon-reload`);
}
