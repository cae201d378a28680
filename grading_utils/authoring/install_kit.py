"""Makes the environment of a kit. A copy of this file lies in every kit as install.py and runs there by itself.

Without a graphics card PyTorch's CPU build is taken, which saves gigabytes; uv knows where PyTorch keeps it. Where that
place can't be reached, the ordinary build is installed. Needs Python alone, and once an internet connection.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ENVIRONMENT = FOLDER / ".venv"
REQUIREMENTS = ["-r", "requirements.txt"]


def install() -> int:
    """Make `.venv` beside this file and install what requirements.txt says; returns an exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  (students run this with the Python that they have)
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 1
    print("Installing into .venv (a few minutes, only once) ...", flush=True)
    venv.create(ENVIRONMENT, with_pip=True)
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python), "--torch-backend", "auto"]
    tries = {"UV_HTTP_RETRIES": "1", **os.environ}
    small = subprocess.run([*pip, "uv"], cwd=FOLDER, check=False).returncode == 0 and (
        subprocess.run([*uv, *REQUIREMENTS], cwd=FOLDER, env=tries, capture_output=True, check=False).returncode == 0
    )
    if not small:
        print("PyTorch's own CPU build is out of reach; going on with the ordinary one ...", flush=True)
        done = subprocess.run([*pip, *REQUIREMENTS], cwd=FOLDER, check=False).returncode
        if done:
            print("Not everything could be installed; the lines above say why. Run this again, or show them to us.")
            return done
    print("Done. start-here.html says how to open the first notebook.")
    return 0


if __name__ == "__main__":
    sys.exit(install())
