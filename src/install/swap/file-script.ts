/** Where a swap file is until it is whole. */
export function unfinishedOf(path: string): string {
  return `${path}.new`;
}

/** What the script does for a swap file. */
export const FILE_SCRIPT = `make() {
  if [ -e "$place" ]; then
    is_ours "$place" || fail "is there, and wasp did not make it: move it away"
    set_context "$place"
    return
  fi
  folder=$(dirname "$place")
  mkdir -p "$folder"
  size=$(size_bytes)
  check_file_system
  # Made under another name, so that a file of the right name is always whole.
  new="${unfinishedOf("$place")}"
  rm -f "$new"
  # Not left to fill the disk if anything below fails.
  trap 'rm -f "$new"' EXIT
  (umask 077 && : >"$new")
  # Swap must not be copied on write. A file in a folder that is compressed is so too, and cannot be both.
  if [ "$type" = btrfs ]; then
    chattr -c "$new"
    chattr +C "$new"
  fi
  fallocate -l "$size" "$new"
  mkswap --label "$label" "$new" >/dev/null
  set_context "$new"
  sync "$new"
  mv -T "$new" "$place"
  trap - EXIT
  sync "$folder"
}

check_file_system() {
  type=$(stat -f -c %T "$folder")
  case $type in
  ext2/ext3 | xfs | btrfs) ;;
  *) fail "$type can hold no swap file; ext4, xfs and btrfs can" ;;
  esac
  # The kubelet evicts when less than a tenth of the node's disk is free.
  set -- $(stat -f -c '%a %b %S' "$folder")
  free=$(($1 * $3)) spare=$(($2 * $3 / 10))
  [ $((size + spare)) -le "$free" ] ||
    fail "$size bytes do not fit: $free bytes are free on its file system, of which a tenth of it, $spare bytes, has to stay free"
}

is_ours() {
  [ "$(blkid -p -o value -s TYPE "$1") $(blkid -p -o value -s LABEL "$1")" = "swap $label" ]
}

# Without it SELinux keeps swapon from the file.
set_context() {
  [ ! -e /sys/fs/selinux/enforce ] || chcon -t swapfile_t "$1"
}

release() {
  :
}

remove() {
  [ ! -e "$place" ] || is_ours "$place" || fail "is neither turned off nor removed: wasp did not make it"
  turn_off "$place"
  stop_units
  rm -f "${unfinishedOf("$place")}" "$place"
}
`;
