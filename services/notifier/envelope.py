"""A letter as bytes for the mail server: headers that cannot be broken into, the same bytes at every attempt."""

from __future__ import annotations

import re
import unicodedata
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from struct import unpack

from services.notifier.domain.mail import message_key
from services.notifier.letters import Letter
from shared.addresses import ascii_domain

ONE_CLICK = "List-Unsubscribe=One-Click"
BROKEN_BY = ("Cc", "Zl", "Zp", "Cs")  # CR, LF, NUL, NEL and their like, U+2028, U+2029, lone surrogates


_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # a dot-atom, RFC 5322
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*")
LONGEST_LOCAL = 64
LINE = 76
LONGEST_PLAIN = 900  # a line of a mail has at most 998 bytes
BYTES_A_WORD = 42  # an encoded word at most 75 characters


class Unmailable(Exception):
    """A value must not come near a header, or an address is none: the mail is refused for good."""


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody's mail address and name, neither of which breaks a header."""

    display_name: str
    addr_spec: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail as the server takes it."""

    sender: str
    recipient: str
    message: bytes


def message_id(mail_id: str, mail_from: str) -> str:
    """Return the Message-ID of a mail, the same at every attempt (N12)."""
    return f"<{message_key(mail_id)}@{_sender(mail_from)[1]}>"


def seal(
    mail_id: str,
    mail_from: str,
    to: tuple[str, str],
    letter: Letter,
    date: datetime,
    trace: str,
    reply_to: tuple[str, str] | None = None,
    unsubscribe: str | None = None,
) -> Envelope:
    """Return *letter* to *to* (name, address) as an envelope; raises Unmailable for values that would break a header.

    A *reply_to* that no mail can be sent to is left out. *unsubscribe* is the address of RFC 8058. Written by hand: the
    e-mail package takes a hundred times as long.
    """
    sender, recipient = _sender(mail_from)[0], address(*to)
    headers = {
        "From": _mailbox(sender),
        "To": _mailbox(recipient),
        **({"Reply-To": answers} if (answers := _answers(reply_to)) else {}),
        "Subject": _words(letter.subject),
        "Date": format_datetime(date),
        "Message-ID": message_id(mail_id, mail_from),
        "Auto-Submitted": "auto-generated",
        **({"List-Unsubscribe": f"<{harmless(unsubscribe)}>", "List-Unsubscribe-Post": ONE_CLICK} if unsubscribe else {}),
        "traceparent": harmless(trace),
        "MIME-Version": "1.0",
    }
    return Envelope(sender.addr_spec, recipient.addr_spec, _message(headers, letter, f"part-{message_key(mail_id)}"))


def _answers(reply_to: tuple[str, str] | None) -> str | None:
    """Return where answers go; an address to which none can go is no reason to keep the mail from its readers."""
    try:
        return _mailbox(address(*reply_to)) if reply_to is not None else None
    except Unmailable:
        return None


def _message(headers: Mapping[str, str], letter: Letter, boundary: str) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    kind = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    text = _part(boundary, "plain", "quoted-printable", b2a_qp(_lines(letter.text), istext=True))
    html = _part(boundary, "html", "base64", _in_base64(letter.html.encode("utf-8", "replace")))
    return b"".join([(head + kind).encode("ascii"), text, html, f"--{boundary}--\r\n".encode()])


def _part(boundary: str, subtype: str, encoding: str, body: bytes) -> bytes:
    about = f'--{boundary}\r\nContent-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return about.encode() + body


def _lines(text: str) -> bytes:
    """Return *text* in lines as a mail has them, the last one ended."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    return (plain.replace("\n", "\r\n") + "\r\n").encode("utf-8", "replace")


def _in_base64(data: bytes) -> bytes:
    """Return *data* in lines of base64: for markup, which nobody reads raw, a fifth of the time of quoted-printable."""
    whole = b64encode(data)
    full, rest = divmod(len(whole) - 1, LINE)  # the last line holds the rest and one more
    return b"\r\n".join(unpack(f"{LINE}s" * full + f"{rest + 1}s", whole)) + b"\r\n"


def _mailbox(who: Address) -> str:
    """Return an address with its name, quoted or encoded as it needs."""
    if not who.display_name:
        return f"<{who.addr_spec}>"
    name = who.display_name
    if name.isascii() and "=?" not in name:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{who.addr_spec}>'
    return f"{_words(name)} <{who.addr_spec}>"


def _words(text: str) -> str:
    """Return *text* as a header holds it: as it is, or folded into encoded words where it is not plain ASCII (RFC 2047)."""
    if harmless(text).isascii() and "=?" not in text and len(text) < LONGEST_PLAIN:
        return text
    return "\r\n ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> list[bytes]:
    """Return *text* in pieces that fit an encoded word, none of which ends within a character."""
    chunks = [b""]
    for character in text:
        encoded = character.encode("utf-8", "replace")
        if len(chunks[-1]) + len(encoded) > BYTES_A_WORD:
            chunks.append(b"")
        chunks[-1] += encoded
    return chunks


@lru_cache(maxsize=64)
def _sender(mail_from: str) -> tuple[Address, str]:
    name, mailbox = parseaddr(mail_from)
    return address(name, mailbox), mailbox.rpartition("@")[2]


def harmless(value: str) -> str:
    """Return *value* if no mail header can be broken with it; raises Unmailable."""
    if not value.isprintable() and any(unicodedata.category(c) in BROKEN_BY for c in value):
        raise Unmailable("a value for a header holds a control character")
    return value


def address(name: str, mailbox: str) -> Address:
    """Return a mail address that is one; raises Unmailable."""
    local, _, domain = harmless(mailbox).rpartition("@")
    if not _LOCAL.fullmatch(local) or len(local) > LONGEST_LOCAL:
        raise Unmailable("an address is none that this mail server knows")
    try:
        named = ascii_domain(domain)
    except UnicodeError as wrong:
        raise Unmailable("an address is of no domain") from wrong
    if not _DOMAIN.fullmatch(named):
        raise Unmailable("an address is of no domain")
    return Address(harmless(name), f"{local}@{named}")
