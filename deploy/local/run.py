"""Start, stop, reset: the order in which the parts of a run come up, and what happens when one does not."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deploy.local import LocalRunError, install, parts, tools
from deploy.local.addresses import Plan, endpoints, environment, plan
from deploy.local.home import ROOT, Home, bindable, write_env
from deploy.local.keeper import Keeper
from deploy.local.parts import SERVICES, Part

READY_SECONDS = 120  # a loaded machine of two cores needs some twenty
GROUND = {"kafka": parts.kafka, "mongo": parts.mongo, "mail": parts.mail}
GRAVE = ("ERROR", "FATAL", "Error:", '"s":"E"', '"s":"F"')  # as Java, Python and MongoDB mark what matters in a log
Say = Callable[[str], None]


def start(
    home: Path,
    ports: str = "free",
    services: bool = True,
    environ: Mapping[str, str] | None = None,
    say: Say = lambda _: None,
) -> dict[str, str]:
    """Start what is not running in *home* and return its endpoints once everything is ready; blocks.

    *ports* is ``free`` or ``default``. Without *services*, only broker, database and mail catcher run, topics included.
    *environ* may replace parts and set ``PORTAL_*`` (the contract's section 4); by default the shell's are not heard, so
    that tests are the same everywhere. A running system keeps the ports and settings it was started with. Raises LocalRunError,
    and then nothing is left running.
    """
    held = Home.at(home)
    with held.locked():
        keeper = Keeper(held)
        running = keeper.alive()
        run = Plan.kept(held) if running else plan(held, ports, environ or {})
        try:
            if not running:
                _launch(keeper, run, _inherited(), say)
            _bring_up(keeper, run, services, say)
        except BaseException:
            keeper.close()
            raise
        return endpoints(run)


def stop(home: Path) -> None:
    """Stop everything that was started in *home*; nothing is left, data and ports are kept."""
    held = Home.at(home)
    with held.locked():
        Keeper(held).close()


def reset(home: Path) -> None:
    """Stop everything and forget data, ports, secrets and logs; the tools stay."""
    held = Home.at(home)
    with held.locked():
        Keeper(held).close()
        held.forget()


def start_part(home: Path, name: str) -> None:
    """Start one part of a running system again and return when it is ready."""
    keeper, part = _part(home, name)
    keeper.begin(name)
    _await_ready(keeper, [part])


def stop_part(home: Path, name: str) -> None:
    """Stop one part of a running system; it stays away until it is started."""
    keeper, _ = _part(home, name)
    keeper.end(name)


def kill_part(home: Path, name: str) -> None:
    """Kill one part with SIGKILL; it is started again at once, without anybody waiting for it."""
    keeper, _ = _part(home, name)
    keeper.kill(name)


def cut_part(home: Path, name: str) -> None:
    """Kill one part with SIGKILL; it stays away until it is started."""
    keeper, _ = _part(home, name)
    keeper.cut(name)


def _part(home: Path, name: str) -> tuple[Keeper, Part]:
    held = Home.at(home)
    keeper = Keeper(held)
    if not keeper.alive():
        raise LocalRunError("Nothing runs here: start it with make up.")
    known = {part.name: part for part in all_parts(Plan.kept(held))}
    if name not in known:
        raise LocalRunError(f"There is no part {name!r} in this run: take one of {', '.join(known)}.")
    return keeper, known[name]


def all_parts(run: Plan) -> list[Part]:
    """Return the parts of *run* in the order in which they start, those provided by others left out."""
    ground = [make(run.home, run.ports) for name, make in GROUND.items() if run.starts(name)]
    return ground + [parts.service(name, run.ports) for name in SERVICES]


def _launch(keeper: Keeper, run: Plan, base: Mapping[str, str], say: Say) -> None:
    keeper.close()  # what an earlier supervisor left behind
    say("Looking for the tools …")
    install.ensure_all(run.provided)
    told = all_parts(run)
    _refuse_busy_ports(told)
    if run.starts("kafka"):
        _format(run)
    for provided, answers in _provided(run).items():
        if not _within(30, answers):
            raise LocalRunError(
                f"Nobody answers at {provided}: start it, or unset the variable and the local run starts its own."
            )
    run.keep()
    settings = environment(run)
    write_env(run.home.folder / "portal.env", settings, mode=0o600)
    write_env(run.home.folder / "endpoints.env", endpoints(run))
    keeper.launch(told, {**base, **settings, "PYTHONUNBUFFERED": "1"})


def _bring_up(keeper: Keeper, run: Plan, services: bool, say: Say) -> None:
    told = all_parts(run)
    ground = [part for part in told if part.name in GROUND]
    serving = [part for part in told if part.name in SERVICES] if services else []
    if not _missing(keeper, [*ground, *serving]):
        _await_ready(keeper, [*ground, *serving])
        return
    _begin(keeper, ground, say)
    _await_ready(keeper, [part for part in ground if part.name == "kafka"])
    with ThreadPoolExecutor(1) as aside:
        provisioned = aside.submit(_provision, run)
        _await_ready(keeper, ground)
        provisioned.result()
    _begin(keeper, serving, say)
    _await_ready(keeper, serving)


def _begin(keeper: Keeper, told: Iterable[Part], say: Say) -> None:
    missing = _missing(keeper, told)
    if not missing:
        return
    _refuse_busy_ports(missing)
    say(f"Starting {', '.join(part.name for part in missing)} …")
    for part in missing:
        keeper.begin(part.name)


def _missing(keeper: Keeper, told: Iterable[Part]) -> list[Part]:
    processes = keeper.processes()
    return [part for part in told if not processes[part.name].runs]


def _await_ready(keeper: Keeper, told: Iterable[Part]) -> None:
    """Wait for *told*; one that ends meanwhile is not waited for, though the supervisor would start it for ever."""
    waiting = {part.name: part for part in told}
    first = keeper.processes()
    deadline = time.monotonic() + READY_SECONDS
    while waiting:
        now = keeper.processes()
        for name, part in list(waiting.items()):
            if not now[name].runs or (first[name].pid and now[name].pid != first[name].pid):
                raise LocalRunError(f"{name} ended while starting: {_last_words(keeper, name)}")
            if part.ready():
                del waiting[name]
        if time.monotonic() > deadline:
            late = next(iter(waiting))
            raise LocalRunError(f"{late} was not ready after {READY_SECONDS} s: {_last_words(keeper, late)}")
        time.sleep(0.1)


def _last_words(keeper: Keeper, name: str) -> str:
    log = keeper.log(name)
    lines = [line for line in log.read_text(errors="replace").splitlines()[-200:] if line.strip()] if log.exists() else []
    grave = [line for line in lines if any(word in line for word in GRAVE)] or lines
    said = f"; it said: {grave[-1].strip()[:300]}" if grave else ""
    return f"see {log}, mend it and run make up again{said}"


def _refuse_busy_ports(told: Iterable[Part]) -> None:
    for part in told:
        for port in part.listens:
            if not bindable(port):
                raise LocalRunError(
                    f"Port {port}, which {part.name} needs, is in use: stop the program that has it, "
                    "or run PORTAL_PORTS=free make up."
                )


def _format(run: Plan) -> None:
    data = run.home.data / "kafka"
    if (data / "meta.properties").exists():
        return
    cluster = "p" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
    command = [str(tools.java()), "-cp", f"{install.JARS}/*", "kafka.tools.StorageTool", "format", "--standalone"]
    properties = str(parts.kafka_properties(run.home))
    done = subprocess.run(
        [*command, "-t", cluster, "-c", properties], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalRunError(f"The broker's folder could not be made: run make reset; it said: {done.stderr.strip()[-300:]}")


def _provision(run: Plan) -> None:
    command = [sys.executable, "-m", "shared.broker", "provision"]
    told = {**_inherited(), **environment(run)}
    done = subprocess.run(
        command, cwd=ROOT, env=told, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=READY_SECONDS, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no word"]
        raise LocalRunError(f"The topics could not be made, see `python -m shared.broker provision`; it said: {said[-1][:300]}")


def _provided(run: Plan) -> dict[str, Callable[[], bool]]:
    given = run.provided
    checks: dict[str, Callable[[], bool]] = {}
    if url := given.get("MONGODB_URL"):
        checks["MONGODB_URL (a replica set with a primary)"] = lambda: parts.database_answers(url)
    if brokers := given.get("KAFKA_BOOTSTRAP_SERVERS"):
        places = [place.rpartition(":") for place in brokers.split(",")]
        checks[f"KAFKA_BOOTSTRAP_SERVERS={brokers}"] = lambda: any(
            parts.broker_answers(host, int(port)) for host, _, port in places if port.isdecimal()
        )
    if host := given.get("SMTP_HOST"):
        port = given["SMTP_PORT"]
        checks[f"SMTP_HOST={host}, SMTP_PORT={port}"] = lambda: port.isdecimal() and parts.smtp_greets(host, int(port))
    return checks


def _within(seconds: float, answers: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not answers():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def _inherited() -> dict[str, str]:
    """Return what a part needs of the shell: not make's own variables, not settings that this run does not know of."""
    heard = ("PORTAL_", "KAFKA_", "MONGODB_", "SMTP_", "MAKE", "MFLAGS")
    return {key: value for key, value in os.environ.items() if not key.startswith(heard)}
