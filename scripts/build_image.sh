#!/bin/sh
# Builds the image of all steps with docker, or with podman where there is no docker.
#   [IMAGE=name:tag] [ACCELERATOR=cpu|gpu] [BASE_IMAGE=image] [ENGINE=docker|podman] sh scripts/build_image.sh
# Where the base image cannot be had from a registry, root makes one of Debian's packages.
set -eu
image=${IMAGE:-neumf-pipeline:latest} accelerator=${ACCELERATOR:-cpu} base=${BASE_IMAGE:-python:3.11-slim-bookworm}
own_base=localhost/neumf-python-base:bookworm
fail() { echo "image: $*" >&2; exit 1; }

for engine in ${ENGINE:-docker podman} none; do
    ! $engine info >/dev/null 2>&1 || break
done
[ "$engine" != none ] || fail "this needs ${ENGINE:-docker or podman}, which does not work here"

make_base() {
    [ "$engine" = podman ] && [ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null 2>&1 ||
        fail "$base cannot be pulled; name another with BASE_IMAGE=, or run as root with podman and debootstrap"
    echo "image: $base cannot be pulled, making a base image of Debian's packages"
    root=$(mktemp -d)
    debootstrap --variant=minbase --include=python3,python3-venv,python3-distutils,ca-certificates bookworm "$root" \
        >"$root.log" 2>&1 || fail "debootstrap failed: see $root.log"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
    tar -C "$root" -c . | podman import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'CMD ["/bin/bash"]' - "$own_base" >/dev/null 2>&1
    rm -rf "$root" "$root.log"
}

if ! $engine image inspect "$base" >/dev/null 2>&1 && ! timeout 60 $engine pull -q "$base" >/dev/null 2>&1; then
    base=$own_base
    $engine image inspect "$base" >/dev/null 2>&1 || make_base
fi
# Podman without the packages that Debian recommends with it runs nothing under its own settings.
if [ "$engine" = podman ] && ! podman run --rm "$base" true >/dev/null 2>&1; then
    export CONTAINERS_CONF="$PWD/docker/containers.conf"
fi

# What pip needs on networks of their own kind; both are for the build alone, and stay out of the image.
secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
cp "${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}" "$secrets/ca" 2>/dev/null || : >"$secrets/ca"
: >"$secrets/pip"
index=$(python3 -m pip config get global.index-url 2>/dev/null || true)
[ -z "${PIP_INDEX_URL:-$index}" ] || printf '[global]\nindex-url = %s\n' "${PIP_INDEX_URL:-$index}" >"$secrets/pip"

echo "image: building $image for $accelerator on $base with $engine"
version=$(git describe --always --dirty --tags 2>/dev/null || echo unknown)
$engine build --build-arg "BASE_IMAGE=$base" --build-arg "ACCELERATOR=$accelerator" \
    --build-arg "GIT_VERSION=$version" --secret "id=ca,src=$secrets/ca" --secret "id=pip,src=$secrets/pip" -t "$image" .
echo "image: $image, $($engine image inspect --format '{{.Size}}' "$image" | awk '{printf "%.2f GB", $1 / 1e9}')"
