#!/usr/bin/env bash
# Fetches what the Linux tests boot, from Debian's packages, into .cache/linux:
#   vmlinuz-cloud, vmlinuz-full   stock kernels (bzImage)
#   vmlinux-cloud, vmlinux-full   the ELF inside each (PVH)
#   initramfs.cpio.gz             busybox and an init
# Packages are downloaded and unpacked, not installed.
set -euo pipefail
cd "$(dirname "$0")/.."
out=.cache/linux
mkdir -p "$out"
if [ -s "$out/initramfs.cpio.gz" ] && [ -s "$out/vmlinuz-full" ] && [ -s "$out/vmlinux-cloud" ] && [ -s "$out/vmlinux-full" ]; then exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$PWD

fetch() { # package: unpacked into $work/root
  (cd "$work" && apt-get download -q "$1" >/dev/null && dpkg-deb -x "$1"_*.deb "$work/root" && rm -f "$1"_*.deb)
}
# The ABI number in a kernel package's name moves with security updates: ask the meta package.
kernel_of() { apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1; }

[ -n "$(apt-cache depends linux-image-cloud-amd64 2>/dev/null)" ] || apt-get update -q >/dev/null
cloud=$(kernel_of linux-image-cloud-amd64)
full=$(kernel_of linux-image-amd64)
fetch "$cloud"
fetch "$full"
fetch busybox-static
cp "$work/root/boot/vmlinuz-${cloud#linux-image-}" "$out/vmlinuz-cloud"
cp "$work/root/boot/vmlinuz-${full#linux-image-}" "$out/vmlinuz-full"

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

mkdir -p "$work/initramfs"/{bin,dev,proc,sys,tmp,etc}
cp "$work/root/bin/busybox" "$work/initramfs/bin/busybox"
cat > "$work/initramfs/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo "init: user space reached"
exec setsid cttyhack sh
INIT
chmod +x "$work/initramfs/init"
command -v cpio >/dev/null || apt-get install -qy cpio >/dev/null
(cd "$work/initramfs" && find . | LC_ALL=C sort | cpio -o -H newc --quiet --owner 0:0 | gzip -9n > "$top/$out/initramfs.cpio.gz")
ls -l "$out"
