"""``python -m services.onboarding`` serves; ``… tick --at 2026-11-30T10:00:00+01:00`` lets time speak (local runs and tests)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from services.onboarding.tick import tick
from shared.ticking import add_at, tick_once

SERVICE = "onboarding"
LATE = "not everything due was settled and mailed within 120 s: do onboarding, clients, the notifier and the mail server run?"


def main(arguments: Sequence[str]) -> None:
    """Serve until told to stop, or settle what is due by an instant and say how much it was."""
    parser = argparse.ArgumentParser(prog="python -m services.onboarding")
    add_at(
        parser.add_subparsers(dest="what").add_parser(
            "tick", help="settle reminders and expiry that are due by an instant, and have them mailed"
        )
    )
    asked = parser.parse_args(arguments)
    if asked.what == "tick":
        print(f"{tick_once(SERVICE, tick, asked.at, LATE)} invitations were due")
    else:
        _serve()


def _serve() -> None:
    from services.onboarding.app import build  # a tick needs none of it, and starts in half the time
    from shared.service import serve

    serve(SERVICE, build)


if __name__ == "__main__":
    main(sys.argv[1:])
