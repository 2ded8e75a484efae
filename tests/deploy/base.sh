#!/usr/bin/env bash
# Makes the image that the Dockerfiles stand on, from Debian's packages alone: base.sh ARCHIVE
# writes a tar of a minimal Debian 12 with today's updates, unless one of this month is there.
# Where a registry can be reached, debian:bookworm-slim does the same.
set -euo pipefail
archive=$1

if [ -n "$(find "$archive" -mtime -30 2>/dev/null)" ]; then exit; fi
mkdir -p "$(dirname "$archive")"
work=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$work"' EXIT
# From where this machine itself has Debian's packages.
sources=$(apt-get indextargets --format "deb \$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
  "Created-By: Packages" "Origin: Debian")
mirror=$(awk '$3 == "bookworm" { print $2; exit }' <<<"$sources")
debootstrap --variant=minbase bookworm "$work/root" "$mirror"
sort -u <<<"$sources" >"$work/root/etc/apt/sources.list"
chroot "$work/root" sh -c 'apt-get update -q && apt-get upgrade -qy && apt-get clean'
rm -rf "$work/root"/var/lib/apt/lists/* "$work/root"/var/log/*
rm -f "$work/root"/etc/{resolv.conf,hostname,machine-id}  # This machine's.
tar -C "$work/root" --one-file-system -cf "$work/archive.tar" .
mv "$work/archive.tar" "$archive"
