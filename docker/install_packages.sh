#!/bin/sh
# Installs the packages of the image into a virtual environment, and takes out what no run needs.
#   sh docker/install_packages.sh VENV cpu|gpu
# Where the build passes them, the secret `ca` has the certificates to trust, and `pip` pip's configuration.
set -eu
venv=$1 accelerator=$2 here=$(dirname "$0")
[ ! -s /run/secrets/ca ] || export PIP_CERT=/run/secrets/ca
[ ! -s /run/secrets/pip ] || export PIP_CONFIG_FILE=/run/secrets/pip

python3 -m venv "$venv"
"$venv/bin/python" -m pip install -q --no-cache-dir --no-compile --no-deps --require-hashes \
    -r "$here/requirements.lock" -r "$here/tensorflow-$accelerator.lock"

site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
rm -rf "$venv"/include "$site"/tensorflow/include "$site"/pyarrow/include "$site"/pip "$site"/pip-* "$venv"/bin/pip*
# libclang parses C, and TensorBoard's server shows logs: no step does.
rm -rf "$site"/clang/native "$site"/tensorboard_data_server/bin
find "$site" -type d -name tests -prune -exec rm -rf {} +
find "$site" \( -name '*.a' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.cc' \) -delete
# Only the large libraries: stripping breaks those that NumPy and SciPy bring along.
for package in tensorflow tfx_bsl ml_metadata tensorflow_data_validation pyarrow llvmlite apache_beam zstandard sklearn
do
    find "$site/$package" -name '*.so*' -type f -size +2M -exec strip --strip-unneeded {} + 2>/dev/null || true
done
"$venv/bin/python" -m compileall -q -j 0 "$site" >/dev/null 2>&1 || true
