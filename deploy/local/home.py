"""A home: the folder in which one local run keeps its ports, secrets, data and logs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shlex
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from deploy.local import LocalRunError

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
DEFAULT_PORTS = {
    "gateway": 8080,
    "clients": 8081,
    "onboarding": 8082,
    "notifier": 8083,
    "kafka": 9092,
    "controller": 9093,
    "mongo": 27017,
    "smtp": 1025,
    "mail": 1080,
}
SECRETS = ("PORTAL_SECRET", "PORTAL_DOOR_KEY")


@dataclass(frozen=True)
class Home:
    """The paths of one home; nothing here starts or stops anything."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Home:
        """Return the home at *folder*, relative to the repository, with its folders made."""
        home = cls((ROOT / folder).resolve())
        for made in (home.folder, home.run, home.data, home.logs):
            made.mkdir(parents=True, exist_ok=True)
        return home

    @property
    def run(self) -> Path:
        """What is rewritten at every start: configuration, socket, pid file."""
        return self.folder / "run"

    @property
    def data(self) -> Path:
        """What ``reset`` forgets."""
        return self.folder / "data"

    @property
    def logs(self) -> Path:
        """One file per part."""
        return self.folder / "logs"

    @property
    def socket(self) -> Path:
        """Where the supervisor listens: beside the rest, or in a short place, as a socket's path ends at 104 bytes."""
        beside = self.run / "supervisor.sock"
        if len(str(beside)) < 100:
            return beside
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"portal-{os.getuid()}-{name}.sock"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the home: two ``make up`` at once start one system."""
        with locked(self.folder / "lock"):
            yield

    def ports(self, wish: str) -> dict[str, int]:
        """Return the ports by part: the well-known ones, or free ones that this home remembers."""
        if wish == "default":
            return dict(DEFAULT_PORTS)
        if wish != "free":
            raise LocalRunError(f"PORTAL_PORTS is {wish!r}: set it to 'default' or 'free'.")
        remembered = self.folder / "ports.json"
        if not remembered.exists():
            write(remembered, json.dumps(_free_ports(), indent=2))
        return {part: int(port) for part, port in json.loads(remembered.read_text()).items()}

    def secrets(self) -> dict[str, str]:
        """Return this home's own random keys, made once and readable by its owner only."""
        kept = self.folder / "secrets.json"
        if not kept.exists():
            write(kept, json.dumps({name: secrets.token_hex(32) for name in SECRETS}), mode=0o600)
        return {name: str(json.loads(kept.read_text())[name]) for name in SECRETS}

    def forget(self) -> None:
        """Remove everything but the tools, which are dear to fetch and hold no data."""
        for entry in self.folder.iterdir():
            if entry.name in {"tools", "lock"}:
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on *path*, waiting for whoever has it; it ends with the process that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write *text* so that a reader sees the old file or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as handle:
        handle.write(text)
    fresh.replace(path)


def write_env(path: Path, values: Mapping[str, str], mode: int = 0o644) -> None:
    """Write *values* as KEY=VALUE lines that a shell can source: what a shell would take apart is quoted."""
    write(path, "".join(f"{key}={_quoted(value)}\n" for key, value in values.items()), mode)


def read_env(path: Path) -> dict[str, str]:
    """Return what :func:`write_env` wrote, or nothing if there is no such file."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition("=") for line in lines)
    return {key: "".join(shlex.split(value)) for key, _, value in pairs}


def listening(port: int, host: str = HOST) -> bool:
    """Tell whether somebody answers at *port*."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def bindable(port: int) -> bool:
    """Tell whether a part could listen at *port* now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_ports() -> dict[str, int]:
    """Pick below the range from which the system takes ports for outgoing connections, so they stay free."""
    candidates = (port for port in SystemRandom().sample(range(20_000, 32_000), 2_000) if bindable(port))
    return {part: next(candidates) for part in DEFAULT_PORTS}


def _quoted(value: str) -> str:
    plain = all(letter.isalnum() or letter in "_-./:,=@+?" for letter in value)  # "?" is safe in an assignment
    return value if plain else shlex.quote(value)
