#!/bin/bash
# Runs Debian's programs without installing them on this machine: in an overlay over its root, in
# namespaces of its own. What is installed or written there is in memory and is gone at the end.
# Packages that exclude each other (mail servers) can so run side by side.
#
#   in-overlay.sh FOLDER "PACKAGES" SCRIPT ARGUMENTS…
#
# Installs the packages and runs SCRIPT there with sh. FOLDER is /mail there, and holds install.log.
# The user "app" and a certificate for localhost (/etc/mta.crt, /etc/mta.key) exist there. Needs
# root, overlayfs, and an earlier `apt-get update`. SIGKILL ends it with all its processes.
set -euo pipefail
self=$(readlink -f "$0")
if [ "${IN_OVERLAY:-}" != 1 ]; then
  folder=$(readlink -f "$1") script=$(readlink -f "$3")
  exec env IN_OVERLAY=1 unshare --mount --pid --fork --kill-child \
    "$self" "$folder" "$2" "$script" "${@:4}"
fi
folder=$1 packages=$2 script=$3
shift 3

layers=$(mktemp -d)
mount -t tmpfs -o size=1g tmpfs "$layers"
mkdir "$layers"/{upper,work,merged}
root=$layers/merged
# /tmp is another there, and a folder below it does not exist.
export TMPDIR=/tmp
mount -t overlay overlay -o "lowerdir=/,upperdir=$layers/upper,workdir=$layers/work" "$root"
# Nothing of this machine's /dev, /proc or /sys is shared.
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev"
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "$root/dev/${device%:*}" c 1 "${device#*:}"
done
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mkdir -p "$root/dev/shm" "$root/run" "$root/mail"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$folder" "$root/mail"

# Another mail server of this machine goes first, in the overlay alone.
# shellcheck disable=SC2086 # one word a package
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
  $packages >"$folder/install.log" 2>&1
chroot "$root" groupadd -g 7000 app
chroot "$root" useradd -u 7000 -g 7000 -M -d /mail app
mkdir -p "$folder/Maildir"/{new,cur,tmp}
chown 7000:7000 "$folder" "$folder/Maildir" "$folder/Maildir"/*
chmod 755 "$folder"
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
  -keyout "$root/etc/mta.key" -out "$root/etc/mta.crt" 2>/dev/null
chmod 600 "$root/etc/mta.key"
cp "$script" "$root/etc/in-overlay-script"
exec chroot "$root" /bin/sh /etc/in-overlay-script "$@"
