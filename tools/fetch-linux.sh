#!/usr/bin/env bash
# Fetches what the Linux tests boot, from Debian's packages, into .cache/linux:
#   vmlinuz-cloud, vmlinuz-full     stock x86-64 kernels (bzImage)
#   vmlinux-cloud, vmlinux-full     the ELF inside each (PVH)
#   initramfs.cpio.gz               busybox and an init
#   initramfs-virtio.cpio.gz        the same with the cloud kernel's virtio modules, which init loads, and ext4
#   arm64/Image, arm64/initramfs.cpio.gz, arm64/initramfs-virtio.cpio.gz
#                                   the same for AArch64
# Packages are downloaded and unpacked, not installed. Those of AArch64 come through an apt root of their own: the
# system's knows no packages of another architecture.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
out=$top/.cache/linux
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
apt=()

have() { # files: all there and not empty
  for file in "$@"; do [ -s "$out/$file" ] || return 1; done
}
fetch() { # package: unpacked into $root
  (cd "$work" && apt-get "${apt[@]}" download -q "$1" >/dev/null 2>&1 && dpkg-deb -x "${1%%:*}"_*.deb "$root" && rm -f "${1%%:*}"_*.deb)
}
# The ABI number in a kernel package's name moves with security updates: ask the meta package.
kernel_of() { apt-cache "${apt[@]}" depends "$1" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1; }

# Modules in the order in which they can be loaded. What a kernel has built in, or does not have, is left out.
MODULES="virtio_ring virtio virtio_mmio virtio_blk crc16 mbcache jbd2 crc32c_generic libcrc32c ext4
  failover net_failover virtio_net virtio_console rng-core virtio-rng"

initramfs() { # file, modules' folder or nothing: busybox of $root, an init, the modules
  rm -rf "$work/initramfs"
  mkdir -p "$work/initramfs"/{bin,dev,proc,sys,tmp,etc,mnt,modules}
  cp "$root/bin/busybox" "$work/initramfs/bin/busybox"
  local n=10 file
  if [ -n "${2:-}" ]; then
    for module in $MODULES; do
      file=$(find "$2" -name "$module.ko" | head -1)
      if [ -n "$file" ]; then cp "$file" "$work/initramfs/modules/$n-$module.ko"; fi
      n=$((n + 1))
    done
  fi
  cat > "$work/initramfs/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do
  [ -e "$module" ] && insmod "$module"
done
echo "init: user space reached"
exec setsid cttyhack sh
INIT
  chmod +x "$work/initramfs/init"
  (cd "$work/initramfs" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --owner 0:0 | gzip -9n > "$1")
}

x86_64() {
  have vmlinuz-cloud vmlinuz-full vmlinux-cloud vmlinux-full initramfs.cpio.gz initramfs-virtio.cpio.gz && return
  local root=$work/x86-64 cloud full
  mkdir -p "$root"
  [ -n "$(apt-cache depends linux-image-cloud-amd64 2>/dev/null)" ] || apt-get update -q >/dev/null
  cloud=$(kernel_of linux-image-cloud-amd64)
  full=$(kernel_of linux-image-amd64)
  fetch "$cloud"
  fetch "$full"
  fetch busybox-static
  cp "$root/boot/vmlinuz-${cloud#linux-image-}" "$out/vmlinuz-cloud"
  cp "$root/boot/vmlinuz-${full#linux-image-}" "$out/vmlinuz-full"

  # The cloud kernel is compressed with LZ4, in the legacy frame format: find it and unpack it.
  command -v lz4 >/dev/null || apt-get install -qy lz4 >/dev/null
  python3 - "$out/vmlinuz-cloud" "$work/vmlinux.lz4" <<'PY'
import sys
data = open(sys.argv[1], 'rb').read()
start = data.index(b'\x02\x21\x4c\x18')
open(sys.argv[2], 'wb').write(data[start:])
PY
  lz4 -dcq "$work/vmlinux.lz4" > "$out/vmlinux-cloud" 2>/dev/null || true
  [ "$(head -c 4 "$out/vmlinux-cloud" | tail -c 3)" = ELF ]
  # The full kernel is compressed with XZ.
  python3 - "$out/vmlinuz-full" "$out/vmlinux-full" <<'PY'
import lzma, sys
data = open(sys.argv[1], 'rb').read()
start = data.index(b'\xfd7zXZ\x00')
open(sys.argv[2], 'wb').write(lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(data[start:]))
PY
  [ "$(head -c 4 "$out/vmlinux-full" | tail -c 3)" = ELF ]
  initramfs "$out/initramfs.cpio.gz"
  initramfs "$out/initramfs-virtio.cpio.gz" "$root/lib/modules/${cloud#linux-image-}"
}

arm64() {
  have arm64/Image arm64/initramfs.cpio.gz arm64/initramfs-virtio.cpio.gz && return
  local root=$work/arm64 state=$work/apt kernel
  mkdir -p "$root" "$out/arm64" "$state"/{state/lists/partial,cache/archives/partial}
  touch "$state/state/status"
  apt=(-oAPT::Architecture=arm64 -oAPT::Architectures=arm64 "-oDir::State=$state/state"
    "-oDir::State::status=$state/state/status" "-oDir::Cache=$state/cache")
  apt-get "${apt[@]}" update -q >/dev/null 2>&1 || true
  kernel=$(kernel_of linux-image-cloud-arm64)
  fetch "$kernel"
  fetch busybox-static:arm64
  # An arm64 kernel's vmlinuz is not compressed.
  cp "$root/boot/vmlinuz-${kernel#linux-image-}" "$out/arm64/Image"
  initramfs "$out/arm64/initramfs.cpio.gz"
  initramfs "$out/arm64/initramfs-virtio.cpio.gz" "$root/lib/modules/${kernel#linux-image-}"
  apt=()
}

mkdir -p "$out"
command -v cpio >/dev/null || apt-get install -qy cpio >/dev/null
x86_64
arm64
ls -l "$out" "$out/arm64"
