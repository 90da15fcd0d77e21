"""Run clients: ``python -m services.clients``."""

from __future__ import annotations

from services.clients.app import build
from shared.service import serve

if __name__ == "__main__":
    serve("clients", build)
