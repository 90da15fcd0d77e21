"""Brings what the local run needs onto this machine: Python packages, the broker's jars, the mail catcher, the page.

Standard library only: it runs on a bare Python 3.11, because it also makes the virtual environment that
everything else runs in. What it installs is shared by all homes; a stamp of the lock files says what is there.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local import LocalRunError

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".local" / "tools"
VENV = ROOT / ".venv"
JARS = TOOLS / "kafka"
MAILDEV = TOOLS / "mail"
REQUIREMENTS = ROOT / "deploy" / "requirements"
POM = ROOT / "deploy" / "local" / "kafka" / "pom.xml"
JAR_LIST = POM.with_name("jars.sha256")
MAIL_PACKAGE = ROOT / "deploy" / "local" / "mail"
PAGE = ROOT / "services" / "gateway" / "portal"
CHROMIUM = Path("/usr/bin/chromium")
COPY_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


@dataclass(frozen=True)
class Artefact:
    """Something to install, and the lock files that say exactly what."""

    name: str
    said: str
    locked_by: tuple[Path, ...]
    stamp: Path
    install: Callable[[], None]

    def wanted(self) -> str:
        """Return the digest of the lock files: the content of a stamp that is up to date."""
        digest = hashlib.sha256()
        for path in self.locked_by:
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def is_there(self) -> bool:
        """Say whether exactly what the lock files name is installed."""
        return self.stamp.is_file() and self.stamp.read_text() == self.wanted()


def ensure(artefact: Artefact) -> None:
    """Install *artefact* unless it is there; of several callers at once, one installs and the others wait."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with (TOOLS / f"{artefact.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if artefact.is_there():
            return
        print(f"Installing {artefact.said} …", file=sys.stderr, flush=True)
        artefact.install()
        artefact.stamp.write_text(artefact.wanted())


def ensure_all(environ: Mapping[str, str]) -> None:
    """Install whatever is not there yet, side by side, leaving out the parts that *environ* replaces."""
    own_broker = not environ.get("KAFKA_BOOTSTRAP_SERVERS")
    own_mail = not (environ.get("SMTP_HOST") and environ.get("SMTP_PORT"))
    if own_broker and not BROKER_JARS.is_there():
        _require_maven()
    with ThreadPoolExecutor() as pool:
        by_npm = (PYTHON_PACKAGES, *((MAIL_CATCHER,) if own_mail else ()), PAGE_PACKAGES, BUILT_PAGE)
        jobs = [pool.submit(_ensure_each, by_npm)]
        if own_broker:
            jobs.append(pool.submit(ensure, BROKER_JARS))
    for job in jobs:
        job.result()


def list_jars() -> None:
    """Resolve the pom anew and rewrite the committed list of jars and their digests (``make lock``)."""
    folder = _resolve_jars()
    lines = [f"{_sha256(jar)}  {jar.name}\n" for jar in sorted(folder.glob("*.jar"))]
    JAR_LIST.write_text("".join(lines))
    shutil.rmtree(folder)


def _ensure_each(artefacts: Sequence[Artefact]) -> None:
    for artefact in artefacts:
        ensure(artefact)


def _install_python_packages() -> None:
    python = VENV / "bin" / "python"
    if not python.exists():
        _run("venv", [sys.executable, "-m", "venv", str(VENV)], "python3 needs its venv module (Debian: python3-venv)")
    locked = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS / "uv.txt")]
    _run("venv", [str(python), *locked], "is the package registry reachable")
    sync = ["pip", "sync", "--require-hashes", "--python", str(python), str(REQUIREMENTS / "dev.txt")]
    try:
        _run("venv", [str(VENV / "bin" / "uv"), *sync], "is the package registry reachable")
    except LocalRunError:  # pip knows of mirrors and certificates by settings that uv does not read
        _run("venv", [str(python), *locked[:-1], str(REQUIREMENTS / "dev.txt")], "is the package registry reachable")


def _install_jars() -> None:
    folder = _resolve_jars()
    found = {jar.name: _sha256(jar) for jar in folder.glob("*.jar")}
    listed = {name: digest for digest, name in (line.split() for line in JAR_LIST.read_text().splitlines())}
    if found != listed:
        names = ", ".join(sorted(name for name, _ in found.items() ^ listed.items()))
        raise LocalRunError(f"Broker jars are not those of {_shown(JAR_LIST)} ({names}): find out why, or `make lock`.")
    _put(folder, JARS)


def _resolve_jars() -> Path:
    _require_maven()
    folder = TOOLS / "kafka.new"
    shutil.rmtree(folder, ignore_errors=True)
    quiet = ["mvn", "-B", "-q", "--strict-checksums", "-Dstyle.color=never", "-f", str(POM)]
    copy = [COPY_JARS, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    _run("kafka", [*quiet, *copy], "is Maven's repository reachable")
    return folder


def _require_maven() -> None:
    if shutil.which("mvn") is None:
        raise LocalRunError(
            "Maven is missing: install it (Debian: apt install maven; macOS: brew install maven), "
            "or set KAFKA_BOOTSTRAP_SERVERS to a broker of your own."
        )


def _install_mail_catcher() -> None:
    folder = TOOLS / "mail.new"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(MAIL_PACKAGE, folder)
    npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]
    _run("mail", [str(VENV / "bin" / "npm"), *npm[1:]], "is npm's registry reachable")
    _put(folder, MAILDEV)


def _install_page_packages() -> None:
    npm = [str(VENV / "bin" / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(PAGE)]
    _run("page", npm, "is npm's registry reachable")


def _build_page() -> None:
    _run("page", [str(VENV / "bin" / "npm"), "run", "build", "--prefix", str(PAGE)], "does it compile")


def _page_sources() -> tuple[Path, ...]:
    """Return what the built page is made of: when none of it changes, it is not built again."""
    made_of = [path for folder in ("src", "public") for path in (PAGE / folder).rglob("*") if path.is_file()]
    return tuple(sorted([*made_of, *(PAGE / name for name in ("index.html", "package-lock.json", "vite.config.ts"))]))


def ensure_browser() -> None:
    """Install Chromium where the tests of the page need it and the system's packages can be had; elsewhere Playwright's own."""
    if CHROMIUM.exists():
        return
    print("Installing the browser …", file=sys.stderr, flush=True)
    if shutil.which("apt-get") and os.geteuid() == 0:
        install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        for _ in range(2):  # a mirror that was just renewed answers the second time
            _run("browser", ["apt-get", "update"], "are Debian's packages reachable")
            with contextlib.suppress(LocalRunError):
                _run("browser", install, "are Debian's packages reachable")
                return
    playwright = [str(VENV / "bin" / "python"), "-m", "playwright", "install", "chromium"]
    _run("browser", playwright, "is Playwright's download reachable; or install Chromium yourself")


def _put(folder: Path, target: Path) -> None:
    """Replace *target* only once its successor is whole."""
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)


def _run(name: str, command: Sequence[str], hint: str) -> None:
    log = TOOLS / f"{name}.log"
    environ = os.environ | {"PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    with log.open("wb") as output:
        done = subprocess.run(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise LocalRunError(f"`{Path(command[0]).name}` failed ({hint}?): see {_shown(log)}.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT)


PYTHON_PACKAGES = Artefact(
    "venv",
    "the Python packages",
    (REQUIREMENTS / "uv.txt", REQUIREMENTS / "dev.txt"),
    VENV / ".synced",
    _install_python_packages,
)
BROKER_JARS = Artefact("kafka", "the broker", (POM, JAR_LIST), JARS / ".synced", _install_jars)
MAIL_CATCHER = Artefact(
    "mail",
    "the mail catcher",
    (MAIL_PACKAGE / "package.json", MAIL_PACKAGE / "package-lock.json"),
    MAILDEV / ".synced",
    _install_mail_catcher,
)
PAGE_PACKAGES = Artefact(
    "page-packages",
    "the page's packages",
    (PAGE / "package.json", PAGE / "package-lock.json", PAGE / ".npmrc"),
    PAGE / "node_modules" / ".synced",
    _install_page_packages,
)
BUILT_PAGE = Artefact("page", "the page", _page_sources(), PAGE / "dist" / ".built", _build_page)


def main(words: Sequence[str]) -> None:
    """Install everything, or one of: the Python packages, the page, the tests' browser; or renew the list of jars."""
    match list(words):
        case []:
            ensure_all(os.environ)
        case ["venv"]:
            ensure(PYTHON_PACKAGES)
        case ["page"]:
            _ensure_each((PYTHON_PACKAGES, PAGE_PACKAGES, BUILT_PAGE))
        case ["browser"]:
            TOOLS.mkdir(parents=True, exist_ok=True)
            ensure_browser()
        case ["jar-list"]:
            TOOLS.mkdir(parents=True, exist_ok=True)
            list_jars()
        case _:
            raise LocalRunError("Say nothing, `venv`, `page`, `browser` or `jar-list`.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LocalRunError as error:
        sys.exit(str(error))
