#!/bin/sh
# Makes .venv from requirements.lock: hash-checked, without a resolver, with bytecode compiled.
#   sh scripts/setup_env.sh [VENV]
# uv does it in about a third of pip's time; where uv cannot be had or cannot reach the index, pip does it.
set -eu
venv=${1:-.venv}
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null 2>&1 || python=python3
fail() { echo "setup: $*" >&2; exit 1; }

"$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
    fail "Python 3.11 is needed ('$python' is not); name another with PYTHON=/path/to/python3.11"
# pyfarmhash, which TFX's data validation imports, is published as source only.
if ! command -v c++ >/dev/null 2>&1 && ! command -v g++ >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "setup: installing a C++ compiler with apt-get (pyfarmhash has no wheel)"
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ python3-dev; } >/dev/null ||
            fail "apt-get could not install g++ and python3-dev"
    else
        fail "a C++ compiler is needed to build pyfarmhash: apt-get install g++ python3-dev"
    fi
fi

echo "setup: installing $(grep -c '==' requirements.lock) pinned packages into $venv (about two minutes)"
rm -rf "$venv"
if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
    # Debian without python3-venv: an environment without pip, filled by the system's pip.
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv" || fail "'$python -m venv' does not work here"
    "$python" -m pip --python "$venv/bin/python" install -q --require-hashes --no-deps -r scripts/bootstrap.lock ||
        fail "neither python3-venv nor pip is available for '$python': apt-get install python3-venv"
else
    "$venv/bin/python" -m pip install -q --require-hashes --no-deps -r scripts/bootstrap.lock 2>/dev/null || true
fi

unset PYTHONDONTWRITEBYTECODE
# uv does not read pip's configuration: hand over the index, and trust what the system trusts.
index=$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
export UV_SYSTEM_CERTS=1
if [ -x "$venv/bin/uv" ] && UV_LINK_MODE=copy "$venv/bin/uv" pip install -q --python "$venv/bin/python" \
    --no-deps --require-hashes --compile-bytecode -r requirements.lock 2>"$venv/uv.log"; then
    :
else
    echo "setup: uv could not install the list, taking pip (slower)"
    "$venv/bin/python" -m pip install -q --no-deps --require-hashes --no-compile -r requirements.lock ||
        fail "the packages of requirements.lock could not be installed"
    "$venv/bin/python" -m compileall -q -j 0 "$venv/lib" >/dev/null || true
fi
echo "setup: compiling the loops of training and evaluation (half a minute)"
TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" -m scripts.compile_ahead 2>"$venv/compile.log" ||
    fail "the loops could not be compiled: see $venv/compile.log"
cp requirements.lock "$venv/installed.lock"
echo "setup: done"
