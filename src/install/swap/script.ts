import type { SwapSize, SwapTarget } from "../engine/options.ts";
import { nameOfTarget } from "../engine/options.ts";
import { DEVICE_SCRIPT, ENCRYPTED_SCRIPT } from "./device-script.ts";
import { FILE_SCRIPT } from "./file-script.ts";
import { headOf, type SwapSpec } from "./spec.ts";
import { ZRAM_PRIORITY, ZRAM_SCRIPT } from "./zram-script.ts";

/**
 * Path of the script that makes and removes a node's swap. It is in /etc, which exists before other file systems are
 * mounted, and needs only a shell, coreutils and util-linux, so that the swap comes back at each boot without wasp.
 */
export const SWAP_SCRIPT_PATH = "/etc/wasp/swap.sh";

/** Label in the signature of swap that the script made; also the name of its dm-crypt mapping. */
export const SWAP_LABEL = "wasp-swap";

/** Returns the script that makes and removes swap; `units` are its systemd units, stopped on removal. */
export function swapScript({ target, size, priority }: SwapSpec, units: readonly string[]): string {
  return `#!/bin/sh
${headOf({ target, size, priority })}
#
# Written by wasp install, and run by wasp-swap.service at each boot of the node:
#   make     makes the swap, unless it exists already
#   release  frees what does not outlast the boot: the zram device, the mapping of an encrypted device
#   remove   turns the swap off, if its content fits into memory, and removes the swap
set -eu
export LC_ALL=C PATH="\${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin"

place='${nameOfTarget(target)}'
label='${SWAP_LABEL}'
${target.kind === "zram" ? `priority='${priority ?? ZRAM_PRIORITY}'\n` : ""}
fail() {
  echo "$place: $1" >&2
  exit 1
}

${sizeFunction(size)}${MEMORY_FUNCTIONS}
stop_units() {
  [ ! -d /run/systemd/system ] || systemctl stop ${units.map((unit) => `'${unit}'`).join(" ")} || :
}

${bodyFor(target)}
case \${1-} in
make) make ;;
release) release ;;
remove) remove ;;
*) fail "usage: $0 make|release|remove" ;;
esac
`;
}

function bodyFor(target: SwapTarget): string {
  switch (target.kind) {
    case "file":
      return FILE_SCRIPT;
    case "device":
      return target.isEncrypted ? ENCRYPTED_SCRIPT : DEVICE_SCRIPT;
    case "zram":
      return ZRAM_SCRIPT;
  }
}

// A percentage of memory is computed on the node, so that one script serves nodes of all sizes.
function sizeFunction(size: SwapSize | undefined): string {
  if (size === undefined) return "";
  if (size.kind === "bytes") return `size_bytes() {\n  echo ${size.bytes}\n}\n\n`;
  return `# NODE_RAM * (${size.percent}% / 100% - 1), in whole MiB.
size_bytes() {
  read -r _ memory_kib _ </proc/meminfo
  echo $((memory_kib * ${size.percent - 100} / 100 / 1024 * 1048576))
}

`;
}

const MEMORY_FUNCTIONS = `# Swaps everything back in, if it fits into memory: a twentieth of it, and at least 256 MiB, have to stay available.
turn_off() {
  area=$(readlink -m "$1")
  while read -r name kib _; do
    case $name in
    MemTotal:) total=$kib ;;
    MemAvailable:) available=$kib ;;
    esac
  done </proc/meminfo
  spare=$((total / 20))
  [ "$spare" -ge 262144 ] || spare=262144
  while read -r name _ _ used _; do
    [ "$name" = "$area" ] || continue
    [ $((used + spare)) -le "$available" ] ||
      fail "not turned off: $used KiB are swapped out and $available KiB of memory are available, of which $spare KiB have to stay available; move pods away first (kubectl drain)"
    swapoff "$area"
  done </proc/swaps
}
`;
