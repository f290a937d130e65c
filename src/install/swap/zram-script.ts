/** Path of the file in which the script keeps the number of its zram device. */
export const ZRAM_STATE_PATH = "/run/wasp-zram";

/** Default priority of zram, as that of zram generators: zram is filled before any disk. */
export const ZRAM_PRIORITY = 100;

/** Shell functions for zram. */
export const ZRAM_SCRIPT = `state=${ZRAM_STATE_PATH}

make() {
  if [ -e "$state" ]; then
    ! is_on || return 0
    release
  fi
  [ -e /sys/class/zram-control/hot_add ] || modprobe zram num_devices=0
  # Freed if a command below fails.
  trap release EXIT
  cat /sys/class/zram-control/hot_add >"$state"
  name="zram$(cat "$state")"
  case $(cat "/sys/block/$name/comp_algorithm") in
  *zstd*) echo zstd >"/sys/block/$name/comp_algorithm" ;;
  esac
  size_bytes >"/sys/block/$name/disksize"
  mkswap --label "$label" "/dev/$name" >/dev/null
  swapon --priority "$priority" "/dev/$name"
  trap - EXIT
}

is_on() {
  case $(cat /proc/swaps) in
  *"/dev/zram$(cat "$state") "*) return 0 ;;
  esac
  return 1
}

release() {
  [ -e "$state" ] || return 0
  number=$(cat "$state")
  turn_off "/dev/zram$number"
  # udev may still have the device open.
  [ ! -d /run/udev ] || udevadm settle --timeout=10 || :
  [ ! -e "/sys/block/zram$number" ] || echo "$number" >/sys/class/zram-control/hot_remove
  rm -f "$state"
}

remove() {
  release
  stop_units
}
`;
