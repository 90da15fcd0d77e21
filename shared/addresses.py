"""Mail addresses: a domain as mail servers write it, and when two spellings are one mailbox."""

from __future__ import annotations

import idna


def ascii_domain(domain: str) -> str:
    """Return *domain* in ASCII by IDNA 2008, in which straße.de is not strasse.de; raises UnicodeError for what is none."""
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def mailbox(address: str) -> str:
    """Return a text that is the same for every spelling of one mailbox: case ignored, the domain in either alphabet."""
    local, at, domain = address.rpartition("@")
    try:
        return f"{local}{at}{ascii_domain(domain)}".casefold()
    except UnicodeError:
        return address.casefold()
