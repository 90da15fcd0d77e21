"""The supervisor that keeps the parts alive, asked over its socket, and the sweep of what outlived it."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from supervisor.xmlrpc import SupervisorTransport

from deploy.local import LocalRunError
from deploy.local.home import ROOT, Home, write
from deploy.local.parts import Part

MARK = "PORTAL_RUN"  # in the environment of every process of a run, and of nothing else
STOP_SECONDS = 20
GONE = (OSError, xmlrpc.client.Error, http.client.HTTPException)


class Process(NamedTuple):
    """What the supervisor says of a part."""

    state: str
    pid: int

    @property
    def runs(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.state in {"STARTING", "RUNNING"}


class _Supervisor(Protocol):
    def getAllProcessInfo(self) -> list[dict[str, object]]: ...
    def startProcess(self, name: str, wait: bool) -> bool: ...
    def stopProcess(self, name: str, wait: bool) -> bool: ...
    def signalProcess(self, name: str, signal: str) -> bool: ...
    def shutdown(self) -> bool: ...


class Keeper:
    """The supervisor of one home, running or not."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def alive(self) -> bool:
        """Tell whether the supervisor answers."""
        try:
            self.processes()
        except GONE:
            return False
        return True

    def launch(self, parts: Iterable[Part], environment: Mapping[str, str]) -> None:
        """Start the supervisor with *parts* known to it and none of them started."""
        sweep(self._home)
        self._home.socket.unlink(missing_ok=True)
        config = self._home.run / "supervisord.conf"
        write(config, _config(self._home, parts))
        marked = {**environment, MARK: str(self._home.run)}
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)]
        done = subprocess.run(
            command, env=marked, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        deadline = time.monotonic() + 10
        while not self.alive():
            if done.returncode or time.monotonic() > deadline:
                said = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
                raise LocalRunError(
                    f"The supervisor did not start: see {self._home.logs / 'supervisor.log'}; it said: {said[-1]}"
                )
            time.sleep(0.02)

    def processes(self) -> dict[str, Process]:
        """Return every part's process by name; raises one of GONE if there is no supervisor."""
        told = self._rpc().getAllProcessInfo()
        return {str(one["name"]): Process(str(one["statename"]), int(str(one["pid"]))) for one in told}

    def log(self, name: str) -> Path:
        """Return where *name* writes what it says."""
        return self._home.logs / f"{name}.log"

    def begin(self, name: str) -> None:
        """Start *name* unless it runs."""
        with contextlib.suppress(xmlrpc.client.Fault):  # it runs already
            self._rpc().startProcess(name, False)

    def end(self, *names: str) -> None:
        """Stop *names* side by side and return when they are gone; they stay stopped."""
        for name in names:
            with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
                self._rpc().stopProcess(name, False)
        deadline = time.monotonic() + STOP_SECONDS + 5
        while any(process.pid for name, process in self.processes().items() if name in names):
            if time.monotonic() > deadline:
                raise LocalRunError(f"{', '.join(names)} would not stop: run make down.")
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """Kill *name* as a power cut would; the supervisor starts it again."""
        try:
            self._rpc().signalProcess(name, "KILL")
        except xmlrpc.client.Fault as fault:
            raise LocalRunError(f"{name} does not run, so it cannot be killed: start it first.") from fault

    def cut(self, name: str) -> None:
        """Kill *name* as a power cut would; it stays away until it is begun again."""
        deadline = time.monotonic() + STOP_SECONDS
        while (process := self.processes()[name]).state != "STOPPED":
            if time.monotonic() > deadline:
                raise LocalRunError(f"{name} would not stay away: run make down.")
            _signal(process, signal.SIGSTOP)  # it hears nothing of being asked to stop
            with contextlib.suppress(xmlrpc.client.Fault):  # it died just now and is about to be started again
                self._rpc().stopProcess(name, False)
            _signal(process, signal.SIGKILL)
            time.sleep(0.02)

    def close(self) -> None:
        """Stop the services, then what they stand on, then the supervisor, then whatever is left; leave no process."""
        with contextlib.suppress(*GONE, LocalRunError):
            names = set(self.processes())
            ground = names & {"kafka", "mongo", "mail"}
            self.end(*names - ground)
            self.end(*ground)
            self._rpc().shutdown()
            _until_gone(self._home, time.monotonic() + 5)
        sweep(self._home)
        self._home.socket.unlink(missing_ok=True)

    def _rpc(self) -> _Supervisor:
        transport = SupervisorTransport(None, None, f"unix://{self._home.socket}")
        return cast("_Supervisor", xmlrpc.client.ServerProxy("http://local", transport=transport).supervisor)


def _signal(process: Process, sign: signal.Signals) -> None:
    """Signal *process* and its children, if it has any."""
    if process.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)


def sweep(home: Home) -> None:
    """End every process that bears this home's mark: asked first, then made to."""
    for sign, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5)):
        for pid in marked(home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        if _until_gone(home, time.monotonic() + patience):
            return


def marked(home: Home) -> list[int]:
    """Return the processes that were started for *home*, whoever their parent is by now."""
    mark = f"{MARK}={home.run}".encode()
    processes = Path("/proc")
    if not processes.is_dir():  # macOS, BSD
        told = subprocess.run(["ps", "-Awwe", "-o", "pid=,command="], capture_output=True, check=False).stdout
        return [int(line.split()[0]) for line in told.splitlines() if mark in line.split()]
    found = []
    for entry in processes.iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def _until_gone(home: Home, deadline: float) -> bool:
    while left := marked(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return not left


def _config(home: Home, parts: Iterable[Part]) -> str:
    # A part whose supervisor is killed is told at once; elsewhere the sweep finds it.
    tied = ("setpriv", "--pdeathsig", "TERM", "--") if shutil.which("setpriv") else ()
    head = f"""[unix_http_server]
file = {_plain(home.socket)}
chmod = 0700

[supervisord]
logfile = {_plain(home.logs / "supervisor.log")}
pidfile = {_plain(home.run / "supervisor.pid")}
logfile_maxbytes = 5MB
logfile_backups = 1

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    return head + "".join(_program(home, part, tied) for part in parts)


def _program(home: Home, part: Part, tied: tuple[str, ...]) -> str:
    environment = ",".join(f'{key}="{_plain(value)}"' for key, value in part.environment.items())
    return f"""
[program:{part.name}]
command = {_plain(shlex.join((*tied, *part.command)))}
environment = {environment}
directory = {_plain(ROOT)}
autostart = false
autorestart = true
startsecs = 0
stopwaitsecs = {STOP_SECONDS}
killasgroup = true
redirect_stderr = true
stdout_logfile = {_plain(home.logs / part.name)}.log
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 1
"""


def _plain(value: object) -> str:
    return str(value).replace("%", "%%")
