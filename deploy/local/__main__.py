"""``python -m deploy.local up|down|reset|status|logs|stop-part NAME|start-part NAME|kill-part NAME``."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from deploy.local import LocalRunError, run
from deploy.local.addresses import Plan, endpoints, environment
from deploy.local.home import ROOT, Home
from deploy.local.keeper import GONE, Keeper


def main() -> int:
    """Do what was asked; a trouble is one sentence and exit code 1."""
    asked = _arguments()
    home = Path(os.environ.get("PORTAL_HOME") or ".local")
    signal.signal(signal.SIGTERM, _as_exit)  # so that a stopped start takes its parts along
    verbs: dict[str, Callable[[], object]] = {
        "up": lambda: _up(home),
        "down": lambda: _down(home),
        "reset": lambda: _reset(home),
        "status": lambda: _status(home),
        "logs": lambda: _logs(home, asked.part),
        "start-part": lambda: run.start_part(home, asked.part),
        "stop-part": lambda: run.stop_part(home, asked.part),
        "kill-part": lambda: run.kill_part(home, asked.part),
    }
    try:
        verbs[asked.verb]()
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="The local run of the partner portal.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "down", "reset", "status"):
        verbs.add_parser(verb)
    verbs.add_parser("logs").add_argument("part", nargs="?")
    for verb in ("start-part", "stop-part", "kill-part"):
        verbs.add_parser(verb).add_argument("part")
    return parser.parse_args()


def _up(home: Path) -> None:
    began = time.monotonic()
    wish = os.environ.get("PORTAL_PORTS") or "default"
    at = run.start(home, wish, environ=os.environ, say=lambda word: print(word, flush=True))
    if os.environ.get("PORTAL_DEMO") != "0":
        _demo(home)
    where = {
        "portal": at["PORTAL_URL"],
        "mails": at["MAIL_URL"] or "at your own mail server",
        "broker": at["KAFKA_BOOTSTRAP_SERVERS"],
        "database": at["MONGODB_URL"].rpartition("@")[2],
        "all addresses": _short(Home.at(home).folder / "endpoints.env"),
        "logs": f"make logs, or {_short(Home.at(home).logs)}",
    }
    print(f"Ready after {time.monotonic() - began:.0f} s.")
    for what, place in where.items():
        print(f"  {what:<14} {place}")


def _down(home: Path) -> None:
    run.stop(home)
    print("Everything is stopped; the data are kept.")


def _reset(home: Path) -> None:
    run.reset(home)
    print("Everything is stopped and forgotten; the tools are kept.")


def _demo(home: Path) -> None:
    told = {**os.environ, **environment(Plan.kept(Home.at(home)))}
    print("Loading the demo firm …", flush=True)
    if subprocess.run(
        [sys.executable, "-m", "deploy.demo"], cwd=ROOT, env=told, stdin=subprocess.DEVNULL, check=False
    ).returncode:
        run.stop(home)
        raise LocalRunError(
            "The demo firm could not be loaded, so everything was stopped: mend it, or run PORTAL_DEMO=0 make up."
        )


def _status(home: Path) -> None:
    held = Home.at(home)
    keeper = Keeper(held)
    try:
        processes = keeper.processes()
    except GONE:
        raise LocalRunError("Nothing runs here: start it with make up.") from None
    plan = Plan.kept(held)
    for part in run.all_parts(plan):
        process = processes[part.name]
        state = "stopped" if not process.runs else "ready" if part.ready() else "not ready"
        listens = ", ".join(str(port) for port in part.listens)
        print(f"  {part.name:<12} {state:<10} {f'pid {process.pid}' if process.pid else '':<12} port {listens}")
    for name, value in plan.provided.items():
        print(f"  {name}={value.rpartition('@')[2]} is provided from outside")
    print(f"  portal       {endpoints(plan)['PORTAL_URL']}")


def _logs(home: Path, part: str | None) -> None:
    logs = sorted(Home.at(home).logs.glob(f"{part or '*'}.log"))
    if not logs:
        raise LocalRunError("There are no logs of that yet: start it with make up.")
    os.execvp("tail", ["tail", "-n", "40", "-F", *map(str, logs)])


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _as_exit(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main())
