/** Shell functions that check a device before it is written to, and that blank it. */
const BLANK_FUNCTIONS = `is_ours() {
  [ "$(blkid -p -o value -s TYPE "$place" || :) $(blkid -p -o value -s LABEL "$place" || :)" = "$1 $label" ]
}

# Checked before every write: the path may have become another disk's.
check_blank() {
  [ -b "$place" ] || fail "is not a block device"
  signatures=$(wipefs --noheadings --output TYPE,LABEL "$place")
  [ -z "$signatures" ] || fail "holds $(echo $signatures)"
  [ "$(head -c 1048576 "$place" | wc -c)" -eq 1048576 ] || fail "its first MiB cannot be read"
  [ "$(head -c 1048576 "$place" | tr -d '\\0' | wc -c)" -eq 0 ] ||
    fail "holds data without a signature: its first MiB is not zeros"
}

make_blank() {
  dd if=/dev/zero of="$place" bs=1048576 count=1 conv=notrunc,fsync 2>/dev/null
}
`;

/** Shell functions for a device. */
export const DEVICE_SCRIPT = `${BLANK_FUNCTIONS}
make() {
  ! is_ours swap || return 0
  check_blank
  # mkswap opens the device exclusively: it fails if the device is in use.
  mkswap --label "$label" "$place" >/dev/null
  sync "$place"
}

release() {
  :
}

remove() {
  is_ours swap || return 0
  turn_off "$place"
  stop_units
  make_blank
}
`;

/**
 * Shell functions for an encrypted device. Plain dm-crypt writes no signature, so that the device would look unused.
 * Therefore a LUKS header, which is never opened, takes the first 16 MiB and identifies the device to wasp and other
 * programs. The rest is encrypted with a random key that is generated at each boot and not stored.
 */
export const ENCRYPTED_SCRIPT = `${BLANK_FUNCTIONS}
mapping="/dev/mapper/$label"

make() {
  [ -b "$mapping" ] || open_mapping
  [ "$(blkid -p -o value -s LABEL "$mapping" || :)" = "$label" ] || mkswap --label "$label" "$mapping" >/dev/null
}

open_mapping() {
  if ! is_ours crypto_LUKS; then
    check_blank
    head -c 64 /dev/urandom | cryptsetup luksFormat --batch-mode --type luks2 --label "$label" \\
      --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file - "$place"
    sync "$place"
  fi
  is_ours crypto_LUKS || fail "has no LUKS header of wasp"
  cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 512 --offset 32768 --key-file /dev/urandom \\
    "$place" "$label"
}

release() {
  [ ! -b "$mapping" ] || cryptsetup close "$label"
}

remove() {
  turn_off "$mapping"
  stop_units
  release
  ! is_ours crypto_LUKS || make_blank
}
`;
