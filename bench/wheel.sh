#!/usr/bin/env bash
# Times the wheel's first use: makes a fresh environment, installs the wheel of scripts/wheel.sh with NumPy, and runs
# the first example of docs/python.md, with nothing on the PATH but that environment.
#   bench/wheel.sh [PYTHON]      python3 if not said
# pip takes NumPy from its cache, if it is there, or from PyPI.
set -euo pipefail
cd "$(dirname "$0")/.."

wheel=$(echo "$PWD"/build/wheel/*.whl)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
awk '/^```python/ { on = 1; next } /^```/ && on { exit } on' docs/python.md >"$scratch/example.py"
"${1-python3}" -m venv "$scratch/environment"
cd "$scratch"

# timed WHAT COMMAND...
timed() {
  local begin=$EPOCHREALTIME end
  env -u PYTHONPATH PATH="$scratch/environment/bin" "${@:2}"
  end=$EPOCHREALTIME
  awk -v what="$1" -v begin="$begin" -v end="$end" 'BEGIN { printf "%-24s%8.2f s\n", what, end - begin }'
}
timed "pip install" pip install -q --disable-pip-version-check "$wheel"
timed "first example" python example.py
