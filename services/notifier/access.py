"""Who may see what, asked at clients' door at sending time, and how it stands, from our own copies (N9, invariant 9)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import batched_pairs
from typing import Any
