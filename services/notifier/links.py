"""The links by which a mail ends what it answers: ids that are signed, nothing is stored (N13, invariant 12)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.notifier.domain.mail import Mail, digest_id
from shared.auth import derive, same
from shared.contracts.base import ClientId, MemberId

PURPOSE = "unsubscribe"
SIGNED_WITH = 22  # characters of base64: 132 bits
LONGEST_TOKEN = 400
INERT = "preview"
_CLICK = re.compile(r"([A-Za-z0-9_-]{1,64})\.(\d{8}T\d{6}Z)\.([1-9]\d{0,5})\.([A-Za-z0-9_-]{0,64})", re.ASCII)
LinkOf = Callable[[str | None], str]
"""Returns the address that ends one client's subscription, or with None those of the whole mail."""


@dataclass(frozen=True, slots=True)
class Click:
    """What a link says: the member, the instant that its mail answered, and the client, or None for all in the mail."""

    member_id: MemberId
    due_at: datetime
    number: int
    client_id: ClientId | None

    @property
    def id(self) -> str:
        """What the link signs; ids hold no dot."""
        return f"{self.member_id}.{self.due_at:%Y%m%dT%H%M%SZ}.{self.number}.{self.client_id or ''}"

    @property
    def mail_id(self) -> str:
        """The mail the link stood in."""
        return digest_id(self.member_id, self.due_at, self.number)


class Links:
    """Makes the links of mails, and reads what a link that came back says."""

    def __init__(self, portal_url: str, secret: str) -> None:
        self.portal_url = portal_url
        self._secret = secret

    def of_mail(self, mail: Mail) -> LinkOf:
        """Return what makes the links of *mail*."""
        number = int(mail.id.split(":")[2].partition(".")[2] or 1)
        whole = Click(mail.member_id or MemberId(""), mail.due_at, number, None).id

        def link(client_id: str | None) -> str:
            return f"{self.portal_url}/u/{self._signed(whole + (client_id or ''))}"

        return link

    def inert(self, _: str | None) -> str:
        """Return the link of a preview: it ends nothing (N15)."""
        return f"{self.portal_url}/u/{INERT}"

    def token(self, click: Click) -> str:
        """Return the signed form of *click*."""
        return self._signed(click.id)

    def read(self, token: str) -> Click | None:
        """Return what *token* says, None if it is forged, truncated or none at all."""
        body = token.partition(".")[0]
        if len(token) > LONGEST_TOKEN or not token.isascii():
            return None
        try:
            click = _click(urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode())
        except (NotBase64, ValueError):
            return None
        return click if click is not None and same(token, self.token(click)) else None

    def _signed(self, said: str) -> str:
        body = urlsafe_b64encode(said.encode()).rstrip(b"=").decode()
        return f"{body}.{derive(self._secret, PURPOSE, said)[:SIGNED_WITH]}"


def _click(said: str) -> Click | None:
    match = _CLICK.fullmatch(said)
    if match is None:
        return None
    due_at = datetime.strptime(match[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return Click(MemberId(match[1]), due_at, int(match[3]), ClientId(match[4]) if match[4] else None)
