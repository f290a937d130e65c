/** Stand-ins for a node's other services: units of the same names and command lines, which do nothing, and their files. */
import type { Guest } from "./guest.ts";

/** Beginning of a script that uses a second copy of wasp, because the installed one may be broken. */
export const WITH_SPARE = "PATH=/run/stand-in:$PATH";

/** Folder of the kubelet's settings. */
export const KUBELET_FOLDER = "/run/kubelet";

/** Command that holds the agent's lock. */
export const RUN_AGENT = "systemd-run --quiet --collect --unit agent flock /sys/fs/cgroup sleep infinity";

/** Returns a script that installs a service that does nothing, with these words on its command line. */
function standIn(name: string, words: string): string {
  const program = `/run/stand-in/${name}`;
  return `
    ln -s /bin/sh ${program}
    printf '[Service]\\nExecStart=${program} -c "sleep infinity; :" ${name} ${words}\\n' > /usr/lib/systemd/system/${name}.service`;
}

/** Installs stand-ins for the kubelet, CRI-O, and other services that a check reads. */
export async function addServices(guest: Guest): Promise<void> {
  await guest.must(`set -e
    # The slice outlasts its containers.
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

/** Removes the stand-ins. */
export async function removeServices(guest: Guest): Promise<void> {
  await guest.must(`set -e
    systemctl stop kubelet crio agent pod
    rm -rf /run/systemd/system/kubepods.slice.d /run/systemd/system.control/kubepods.slice.d ${KUBELET_FOLDER} /run/stand-in /usr/lib/systemd/system/{kubelet,crio,earlyoom,systemd-oomd}.service
    systemctl daemon-reload`);
}
