/** A host on which wasp was never installed, and a listing of its files. */
import { type Guest, quote } from "./guest.ts";

/** Users of the guest with separate root folders, which are different hosts for an administrator. */
export const otherHosts = ["second", "third"] as const;

/** Removes swap and containerd from a guest, and installs podman as CRI-O, whose hooks library it shares. */
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

/** Lists everything that an installation may change on a host: mode, owner and digest of each file. */
export function listing(guest: Guest): Promise<string> {
  return guest.must(`cd /
    places='etc usr/local usr/share/containers var/lib'
    # The first is podman's storage, and the second is systemd's random seed for the next boot.
    shown() { find $places -path var/lib/containers -prune -o -path var/lib/systemd/random-seed -prune -o "$@"; }
    { shown -printf '%p %y %m %u:%g %l\\n'; shown -type f -exec md5sum {} +; } | sort`);
}

/** Gives each of the other hosts an overlay of the guest's current root, and runs a script in it. */
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
