/** A host on which no wasp was ever installed, and what is on it. */
import { type Guest, quote } from "./guest.ts";

/** Users of the guest whose root is a folder of its own: for an administrator, other hosts. */
export const otherHosts = ["second", "third"] as const;

/** Makes a guest a host without swap, and with what stands for CRI-O: podman has its library for hooks. */
export async function makeFresh(guest: Guest): Promise<void> {
  const users = otherHosts.map(
    (user) => `
    echo '${user}:*:0:0::/root:/bin/sh' >> /etc/passwd
    printf 'Match User ${user}\\n ChrootDirectory /run/hosts/${user}/root\\n' >> /etc/ssh/sshd_config`,
  );
  await guest.must(`set -e
    swapoff /swapfile
    rm /swapfile
    sed -i '\\|^/swapfile|d' /etc/fstab
    mv /usr/bin/containerd /usr/bin/containerd-shim* /srv
    ln -s podman /usr/bin/crio
    ${users.join("")}
    systemctl daemon-reload
    systemctl reload ssh`);
}

/** Everything that an installation may change on a host: of a file its mode, owner and digest, a line each. */
export function listing(guest: Guest): Promise<string> {
  return guest.must(`cd /
    places='etc usr/local usr/share/containers var/lib'
    # podman keeps its containers in the first, and systemd random numbers for the next start in the second.
    shown() { find $places -path var/lib/containers -prune -o -path var/lib/systemd/random-seed -prune -o "$@"; }
    { shown -printf '%p %y %m %u:%g %l\\n'; shown -type f -exec sha256sum {} +; } | sort`);
}

/** Gives each other host its root: what the guest has now, with a layer of its own for what is changed, as by a script. */
export async function makeOtherHosts(guest: Guest, script: string): Promise<void> {
  for (const host of otherHosts) {
    const folder = `/run/hosts/${host}`;
    await guest.must(`set -e
      mkdir -p ${folder}
      mount -t tmpfs -o size=512m,mode=755 tmpfs ${folder}
      mkdir ${folder}/root ${folder}/upper ${folder}/work
      mount -t overlay -o lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work overlay ${folder}/root
      for mount in dev proc sys; do mount --bind /$mount ${folder}/root/$mount; done
      chroot ${folder}/root sh -c ${quote(script)}`);
  }
}
