"""The running system, and a firm for whoever breaks it."""

from __future__ import annotations

from tests.e2e.conftest import firm, outside

__all__ = ["firm", "outside"]
