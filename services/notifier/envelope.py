"""A letter as bytes for the mail server: headers that cannot be broken into, the same bytes at every attempt."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from services.notifier.domain.mail import message_key
from services.notifier.letters import Letter

BROKEN_BY = ("Cc", "Zl", "Zp", "Cs")  # CR, LF, NUL, NEL and their like, U+2028, U+2029, lone surrogates


class Unmailable(Exception):
    """A value must not come near a header, or an address is none: the mail is refused for good."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail as the server takes it."""

    sender: str
    recipient: str
    message: bytes


def message_id(mail_id: str, mail_from: str) -> str:
    """Return the Message-ID of a mail, the same at every attempt (N12)."""
    domain = parseaddr(mail_from)[1].rpartition("@")[2]
    return f"<{message_key(mail_id)}@{domain}>"


def seal(
    mail_id: str,
    mail_from: str,
    to: tuple[str, str],
    letter: Letter,
    date: datetime,
    trace: str,
    reply_to: tuple[str, str] | None = None,
) -> Envelope:
    """Return *letter* to *to* (name, address) as an envelope; raises Unmailable for values that would break a header."""
    sender, recipient = address(*parseaddr(mail_from)), address(*to)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender
    message["To"] = recipient
    if reply_to is not None:
        message["Reply-To"] = address(*reply_to)
    message["Subject"] = harmless(letter.subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id(mail_id, mail_from)
    message["Auto-Submitted"] = "auto-generated"
    message["traceparent"] = harmless(trace)
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"part-{message_key(mail_id)}")
    return Envelope(sender.addr_spec, recipient.addr_spec, message.as_bytes())


def harmless(value: str) -> str:
    """Return *value* if no mail header can be broken with it; raises Unmailable."""
    if any(unicodedata.category(c) in BROKEN_BY for c in value):
        raise Unmailable("a value for a header holds a control character")
    return value


def address(name: str, mailbox: str) -> Address:
    """Return a mail address that is one; raises Unmailable."""
    local, at, domain = harmless(mailbox).rpartition("@")
    try:
        if not at or not local.isascii() or " " in mailbox:
            raise Unmailable("an address is none that this mail server knows")
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
        return Address(display_name=harmless(name), addr_spec=f"{local}@{ascii_domain}")
    except (
        MessageError,
        ValueError,
        IndexError,
        AttributeError,
        TypeError,
    ) as wrong:  # the e-mail package has many ways to say it
        raise Unmailable(f"an address is none: {type(wrong).__name__}") from wrong
