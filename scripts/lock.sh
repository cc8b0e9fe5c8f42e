#!/bin/sh
# Resolves pyproject.toml: requirements.lock for development, docker/*.lock for the image. No lock names an index.
#   sh scripts/lock.sh UV
set -eu
uv=$1
compile() { "$uv" pip compile --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet "$@"; }

compile pyproject.toml --extra dev --extra benchmarks --output-file requirements.lock
printf 'pip\nuv\n' | compile - --output-file scripts/bootstrap.lock

# The image's packages are the same versions, without those of development. TensorFlow stands apart: its build for CPUs
# alone has another name, and the one for GPUs brings CUDA along (--no-config: the overrides would drop the extra).
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -o '^[a-zA-Z0-9._-]*==[^ ;\\]*' requirements.lock >"$work/versions"
compile --group docs --constraint "$work/versions" --output-file scripts/docs.lock
version=$(sed -n 's/^tensorflow==//p' "$work/versions")

compile pyproject.toml --constraint "$work/versions" --output-file "$work/all"
awk '/^[a-zA-Z]/ { keep = $0 !~ /^tensorflow==/ } keep' "$work/all" >docker/requirements.lock
echo "tensorflow-cpu==$version" | compile - --no-deps --output-file docker/tensorflow-cpu.lock
echo "tensorflow[and-cuda]==$version" | compile - --no-config --constraint "$work/versions" --output-file "$work/gpu"
awk '/^[a-zA-Z]/ { keep = $0 ~ /^(tensorflow==|nvidia-)/ } keep' "$work/gpu" >docker/tensorflow-gpu.lock
