"""Templates that are filled in by the thousand: Jinja renders each once per language, and then it is one ``%`` a filling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.notifier.words import words_for

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: name is not None and name.endswith(".html"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_SLOT = re.compile("\0([a-z_]+)\0")


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """Return *template* as Jinja renders it."""
    return _templates.get_template(template).render(values)


def text(template: str, language: str, values: Mapping[str, str]) -> str:
    """Return the text *template* with *values*; it may ask of them only whether they are empty."""
    return _form(template, language, tuple(values), tuple(map(bool, values.values()))) % values


def html(template: str, language: str, values: Mapping[str, str]) -> Markup:
    """Return the HTML *template* likewise; what is no markup yet is escaped."""
    form = _form(template, language, tuple(values), tuple(map(bool, values.values())))
    return Markup(form % {name: escape(value) for name, value in values.items()})


@lru_cache(maxsize=256)
def _form(template: str, language: str, names: tuple[str, ...], given: tuple[bool, ...]) -> str:
    """Return *template* rendered with a slot for each of the *names* that is *given* a value."""
    slots = {name: f"\0{name}\0" if is_given else "" for name, is_given in zip(names, given, strict=True)}
    whole = rendered(template, {"w": words_for(language), **slots})
    return _SLOT.sub(r"%(\1)s", whole.replace("%", "%%"))
