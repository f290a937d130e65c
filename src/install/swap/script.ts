import type { SwapSize, SwapTarget } from "../engine/options.ts";
import { nameOfTarget } from "../engine/options.ts";
import { DEVICE_SCRIPT, ENCRYPTED_SCRIPT } from "./device-script.ts";
import { FILE_SCRIPT } from "./file-script.ts";
import { headOf, type SwapSpec } from "./spec.ts";
import { ZRAM_PRIORITY, ZRAM_SCRIPT } from "./zram-script.ts";

/**
 * Where the script is that makes a node's swap and takes it back. It stands in /etc, which is there before all other
 * file systems are mounted, and needs no more than a shell, coreutils and util-linux: the swap has to come back at each
 * start of the node, wasp or no wasp.
 */
export const SWAP_SCRIPT_PATH = "/etc/wasp/swap.sh";

/** What marks a swap file or a device as made by the script: the label of its signature; its mapping's name too. */
export const SWAP_LABEL = "wasp-swap";

/** The script that makes swap and takes it back; `units` are those that have the swap, stopped when it is removed. */
export function swapScript({ target, size, priority }: SwapSpec, units: readonly string[]): string {
  return `#!/bin/sh
${headOf({ target, size, priority })}
#
# Written by wasp install, and run by wasp-swap.service whenever the node starts:
#   make     makes the swap; what is made already stays as it is
#   release  gives back what does not outlast the node's run
#   remove   turns the swap off, if memory can take what is in it, and removes what was made
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
*) fail "what is to be done? make, release or remove" ;;
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

// A share of the node's memory is worked out on the node, so that one text serves nodes of all sizes.
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

const MEMORY_FUNCTIONS = `# Swaps everything back in, unless memory cannot take it: a twentieth of it, and 256 MiB, have to stay available.
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
      fail "not turned off: $used KiB are swapped out and $available KiB of memory are available, of which $spare KiB have to stay; move pods away first (kubectl drain)"
    swapoff "$area"
  done </proc/swaps
}
`;
