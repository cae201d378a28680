#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image.
set -euo pipefail
root="${AUTOGRADER:-/autograder}"
cd "$root/source"
python3 -m venv "$root/uv" 2>/dev/null || { apt-get update && apt-get install -y python3-venv && python3 -m venv "$root/uv"; }
"$root/uv/bin/pip" install --quiet uv
"$root/uv/bin/uv" venv --quiet --python '>=3.11,<3.15' "$root/venv"
install() { "$root/uv/bin/uv" pip install --quiet --python "$root/venv/bin/python" "$@"; }
install --torch-backend cpu -r requirements.txt || install -r requirements.txt
install --no-deps ./*.whl
chmod -R o= "$root/source"
