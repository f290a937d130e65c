/** Returns the path of a swap file until it is complete. */
export function temporaryPathOf(path: string): string {
  return `${path}.new`;
}

/** Shell functions for a swap file. */
export const FILE_SCRIPT = `make() {
  if [ -e "$place" ]; then
    is_ours "$place" || fail "exists already and was not made by wasp: move it away"
    set_context "$place"
    return
  fi
  folder=$(dirname "$place")
  mkdir -p "$folder"
  size=$(size_bytes)
  check_file_system
  # Made under another name, so that a file with the final name is always complete.
  new="${temporaryPathOf("$place")}"
  rm -f "$new"
  # Removed if a command below fails.
  trap 'rm -f "$new"' EXIT
  (umask 077 && : >"$new")
  # A swap file must not be copied on write (+C), which excludes the compression that it may inherit from its folder.
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
  *) fail "$type does not support swap files; ext4, xfs and btrfs do" ;;
  esac
  # The kubelet evicts pods when less than a tenth of the node's disk is free (nodefs.available).
  set -- $(stat -f -c '%a %b %S' "$folder")
  free=$(($1 * $3)) spare=$(($2 * $3 / 10))
  [ $((size + spare)) -le "$free" ] ||
    fail "$size bytes do not fit: $free bytes are free on its file system, and a tenth of it, $spare bytes, has to stay free"
}

is_ours() {
  [ "$(blkid -p -o value -s TYPE "$1") $(blkid -p -o value -s LABEL "$1")" = "swap $label" ]
}

# SELinux denies swapon any other type of file.
set_context() {
  [ ! -e /sys/fs/selinux/enforce ] || chcon -t swapfile_t "$1"
}

release() {
  :
}

remove() {
  [ ! -e "$place" ] || is_ours "$place" || fail "was not made by wasp: it is neither turned off nor removed"
  turn_off "$place"
  stop_units
  rm -f "${temporaryPathOf("$place")}" "$place"
}
`;
