#!/usr/bin/env bash
# The test suite on one Python with one Django: tests/matrix.sh 3.13 "Django>=6.0,<6.1" [pytest arguments]
# The environment is kept as .venv-<version>; the Python comes from the PATH or from pyenv.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1 django=$2
shift 2

python=
for candidate in "python$version" "$HOME/.pyenv/versions/$version".*/bin/python; do
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "test-matrix: Python $version was not found, neither on the PATH nor in ~/.pyenv/versions" >&2
    exit 1
fi

venv=.venv-$version
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
# Everything as pinned, except Django; the development tools check types against one version only.
grep -v '^Django==' requirements.txt > "$venv/requirements.txt"
sed "s#^-r requirements.txt#-r requirements.txt\n$django#" requirements-dev.txt > "$venv/requirements-dev.txt"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$venv/requirements-dev.txt"

"$venv/bin/python" -c 'import django, sys; print("Python", sys.version.split()[0], "with Django", django.__version__)'
exec "$venv/bin/python" -m pytest "$@"
