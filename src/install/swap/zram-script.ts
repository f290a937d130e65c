/** Where the script keeps the number of its zram device. */
export const ZRAM_STATE_PATH = "/run/wasp-zram";

/** What zram has unless told, as zram generators give it: it is to be filled before any disk. */
export const ZRAM_PRIORITY = 100;

/** What the script does for zram. */
export const ZRAM_SCRIPT = `state=${ZRAM_STATE_PATH}

make() {
  if [ -e "$state" ]; then
    ! is_on || return 0
    release
  fi
  [ -e /sys/class/zram-control/hot_add ] || modprobe zram num_devices=0
  # Given back if anything below fails.
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
  # Whoever looks at it because it changed must be done.
  [ ! -d /run/udev ] || udevadm settle --timeout=10 || :
  [ ! -e "/sys/block/zram$number" ] || echo "$number" >/sys/class/zram-control/hot_remove
  rm -f "$state"
}

remove() {
  release
  stop_units
}
`;
