#!/bin/sh
# Prints the path of a Python that can run Hidamari: 3.11 or newer, with the venv module.
# PYTHON=/path/to/python is taken as it is. Where there is none, says the one command to type.
usable='import sys; sys.exit(sys.version_info < (3, 11))'
has_venv='import ensurepip, venv'

for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14 python}; do
    "$candidate" -c "$usable" >/dev/null 2>&1 || continue
    if "$candidate" -c "$has_venv" >/dev/null 2>&1 || [ -x .venv/bin/python ]; then
        command -v "$candidate"
        exit 0
    fi
    without_venv=${without_venv:-$candidate}
done

[ "$(id -u)" = 0 ] && sudo= || sudo='sudo '
if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    packages=python$version-venv
    problem="Python $version is here, but its venv module is not."
else
    packages=python3-venv
    for version in 3.11 3.12 3.13 3.14; do # the newest that this system offers
        apt-cache show "python$version-venv" >/dev/null 2>&1 && packages="python$version python$version-venv"
    done
    problem="Hidamari needs Python 3.11 or newer; none was found${PYTHON:+ as PYTHON=$PYTHON}."
fi
if [ -n "$PYTHON" ] && [ -z "$without_venv" ]; then
    fix="make run PYTHON=python3"
elif command -v apt-get >/dev/null 2>&1; then
    fix="${sudo}apt-get install -y $packages"
elif command -v dnf >/dev/null 2>&1; then
    fix="${sudo}dnf install -y python3.12"
elif command -v brew >/dev/null 2>&1; then
    fix="brew install python@3.12"
else
    fix="make run PYTHON=/path/to/python3.12"
fi
printf '%s\nType this, then try again:\n\n    %s\n\n' "$problem" "$fix" >&2
exit 1
