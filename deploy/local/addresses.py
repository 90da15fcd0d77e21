"""Where everything is: the endpoints that people and tests read, and the environment that the services run in."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local import LocalRunError
from deploy.local.home import HOST, Home, listening, write
from deploy.local.parts import SERVICES

REPLACES = {"kafka": ("KAFKA_BOOTSTRAP_SERVERS",), "mongo": ("MONGODB_URL",), "mail": ("SMTP_HOST", "SMTP_PORT")}
OURS_ONLY = {"PORTAL_HOME", "PORTAL_PORTS", "PORTAL_DEMO", "PORTAL_URL", "PORTAL_RUN"}


@dataclass(frozen=True)
class Plan:
    """What one run consists of: where its parts listen, and which of them somebody else provides."""

    home: Home
    ports: Mapping[str, int]
    provided: Mapping[str, str]
    settings: Mapping[str, str]

    def starts(self, part: str) -> bool:
        """Whether *part* is ours to start."""
        return not any(name in self.provided for name in REPLACES.get(part, ()))

    def keep(self) -> None:
        """Write down what is about to run, for the calls that come while it does."""
        kept = {"ports": dict(self.ports), "provided": dict(self.provided), "settings": dict(self.settings)}
        write(self.home.run / "plan.json", json.dumps(kept, indent=2), mode=0o600)

    @classmethod
    def kept(cls, home: Home) -> Plan:
        """Return what runs in *home*."""
        path = home.run / "plan.json"
        if not path.exists():
            raise LocalRunError("Nothing runs here: start it with make up.")
        return cls(home, **json.loads(path.read_text()))


def plan(home: Home, wish: str, environ: Mapping[str, str]) -> Plan:
    """Return the run that *environ* asks for; a part whose variables are set is provided by somebody else."""
    ports = home.ports(wish)
    own = _own(ports)
    provided: dict[str, str] = {}
    for part, names in REPLACES.items():
        given = {name: environ[name] for name in names if environ.get(name)}
        if given and len(given) < len(names):
            raise LocalRunError(f"Only {', '.join(given)} is set: set {' and '.join(names)}, or none of them.")
        # Who has sourced endpoints.env in this shell means our own part, unless somebody is there already.
        sourced = all(own[name] == value for name, value in given.items())
        if given and (not sourced or listening(ports["smtp" if part == "mail" else part])):
            provided |= given
    if any(name in provided for name in REPLACES["mail"]) and environ.get("MAIL_URL"):
        provided["MAIL_URL"] = environ["MAIL_URL"]
    settings = {key: value for key, value in environ.items() if key.startswith("PORTAL_") and key not in OURS_ONLY}
    return Plan(home, ports, provided, settings)


def endpoints(run: Plan) -> dict[str, str]:
    """Return the addresses of the contract's section 4."""
    own = _own(run.ports)
    if not run.starts("mail"):
        own["MAIL_URL"] = ""  # another mail server's page is its owner's to know
    gateway = own["PORTAL_URL"]
    metrics = {f"{name.upper()}_METRICS_URL": f"http://{HOST}:{run.ports[name]}/metrics" for name in SERVICES}
    return {**own, **run.provided, "PYTHON": sys.executable, "JWKS_URL": f"{gateway}/dev/jwks.json", **metrics}


def environment(run: Plan) -> dict[str, str]:
    """Return what every service is told; what the user set under PORTAL_ comes before our own values."""
    at = endpoints(run)
    gateway = at["PORTAL_URL"]
    taken = ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URL", "SMTP_HOST", "SMTP_PORT", "PORTAL_URL", "JWKS_URL")
    return {
        **{name: at[name] for name in taken},
        "PORTAL_HOME": str(run.home.folder),
        "PRODUCT_URL": f"{gateway}/dev/product",
        **{f"{name.upper()}_URL": f"http://{HOST}:{run.ports[name]}" for name in SERVICES if name != "gateway"},
        "PORTAL_ISSUER": gateway,
        "PORTAL_AUDIENCE": "partner-portal",
        "PORTAL_DEV_LOGIN": "1",
        "PORTAL_DEV_KEY_FILE": str(run.home.folder / "dev-key.json"),
        **run.home.secrets(),
        **run.settings,
    }


def _own(ports: Mapping[str, int]) -> dict[str, str]:
    return {
        "PORTAL_URL": f"http://{HOST}:{ports['gateway']}",
        "KAFKA_BOOTSTRAP_SERVERS": f"{HOST}:{ports['kafka']}",
        "MONGODB_URL": f"mongodb://{HOST}:{ports['mongo']}/?replicaSet=portal",
        "SMTP_HOST": HOST,
        "SMTP_PORT": str(ports["smtp"]),
        "MAIL_URL": f"http://{HOST}:{ports['mail']}",
    }
