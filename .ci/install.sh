#!/bin/sh
# Makes .venv and installs the project into it with one set of extras, each holding the one before:
#   .ci/install.sh default|demo|test|dev
# Does nothing where that set is installed from the same setup.cfg, constraints.txt, folder and Python.
set -eu
cd "$(dirname "$0")/.."

stop() {
    echo "$1" >&2
    exit 1
}

# A name on PATH is not enough: version managers leave names that start nothing.
is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

makes_environments() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'
}

# From 3.12 on lightfm comes ready made, so those Pythons need no compiler and are asked first.
choose_python() {
    without_venv=
    [ -n "${PYTHON:-}" ] && set -- "$PYTHON" || set -- python3.13 python3.12 python3.11 python3
    for candidate in "$@"; do
        is_supported "$candidate" || continue
        if makes_environments "$candidate"; then
            command -v "$candidate"
            return
        fi
        without_venv=$candidate
    done
    if [ -n "$without_venv" ]; then
        stop "$without_venv cannot make environments; install its venv module: apt install python$(version_of "$without_venv")-venv"
    fi
    if [ -n "${PYTHON:-}" ]; then
        stop "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 that starts; name one that does, or leave PYTHON out"
    fi
    stop "no Python 3.11, 3.12 or 3.13 found; install one (apt install python3 python3-venv) or name one with PYTHON=/path/to/python3"
}

# lightfm is compiled on 3.11.
check_compiler() {
    [ "$(version_of "$1")" = 3.11 ] || return 0
    missing=$("$1" - <<'PYTHON'
import os, pathlib, shutil, sysconfig

compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
missing = [] if shutil.which(compiler) else ["gcc", "libc6-dev"]
if not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists():
    missing.append("python3.11-dev")
print(*missing)
PYTHON
)
    [ -z "$missing" ] ||
        stop "on Python 3.11 lightfm is compiled, and the C compiler or the Python headers are not here; install them (apt install $missing) or use Python 3.12 or 3.13, which need neither"
}

make_environment() {
    python=$(choose_python)
    check_compiler "$python"
    echo "making .venv with Python $(version_of "$python") ($python)"
    "$python" -m venv --clear .venv
}

environment_is_usable() {
    is_supported .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of .venv/bin/python)" = "$(version_of "$PYTHON" 2>/dev/null)" ]
}

fingerprint() {
    { cat setup.cfg pyproject.toml constraints.txt; pwd; .venv/bin/python --version; } | cksum
}

is_installed() {
    [ "$(cat ".venv/installed-$1" 2>/dev/null)" = "$(fingerprint)" ]
}

requirement() {
    [ "$1" = default ] && echo . || echo ".[$1]"
}

install_project() {
    echo "installing regulars with what '$1' needs; the first time takes a minute or two"
    # On a terminal pip shows its progress.
    [ -t 1 ] && quietly= || quietly=--quiet
    .venv/bin/python -m pip install $quietly --disable-pip-version-check \
        --constraint constraints.txt --editable "$(requirement "$1")"
}

# LightGBM's wheel brings no OpenMP library; it comes with gcc, or alone.
check_openmp() {
    .venv/bin/python -c 'import lightgbm' 2>/dev/null ||
        stop "lightgbm does not start, most likely for want of the OpenMP library; install it (apt install libgomp1) and repeat"
}

mark_installed() {
    for extras in default demo test dev; do
        fingerprint >".venv/installed-$extras"
        [ "$extras" != "$1" ] || return 0
    done
}

case "${1:-}" in
    default | demo | test | dev) ;;
    *) stop "usage: .ci/install.sh default|demo|test|dev" ;;
esac
if ! environment_is_usable; then
    make_environment
fi
if ! is_installed "$1"; then
    install_project "$1"
    check_openmp
    mark_installed "$1"
fi
