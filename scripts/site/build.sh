#!/bin/sh
# Builds the site into site/, with MkDocs' packages of scripts/docs.lock beside those of VENV, in a folder of its own.
#   sh scripts/site/build.sh [VENV]
set -eu
venv=${1:-.venv}
packages=$venv/docs
if ! cmp -s scripts/docs.lock "$packages/installed.lock"; then
    rm -rf "$packages"
    "$venv/bin/python" -m pip install -q --no-deps --require-hashes --target "$packages" -r scripts/docs.lock
    cp scripts/docs.lock "$packages/installed.lock"
fi
# With --quiet, MkDocs would not count warnings, and so let broken links pass. Material's word on a MkDocs 2,
# which the lock does not hold, is of no use to who builds.
NO_MKDOCS_2_WARNING=1 PYTHONPATH=$packages "$venv/bin/python" -m mkdocs build --config-file scripts/site/mkdocs.yml
echo "site/index.html"
