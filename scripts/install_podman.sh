#!/bin/sh
# Podman and what `make test-containers` needs beside it: from Debian, as root; else says what is missing.
set -eu
missing=""
for tool in podman runc debootstrap; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0
packages="podman buildah runc netavark aardvark-dns uidmap iptables slirp4netns catatonit debootstrap"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "containers: installing$missing with apt-get"
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages; } >/dev/null 2>&1 && exit 0
fi
echo "containers: missing:$missing; as root: apt-get install --no-install-recommends $packages" >&2
exit 1
