"""Mails of onboarding: to the contact, to the admin whose invitation reached nobody, to who waits for its end (O1, O7, O10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notifier.domain.mail import Mail, Part, end_mail_id, invitation_mail_id, undelivered_mail_id
from services.notifier.domain.world import MailRecorded
from shared.contracts.clients import EndTold
from shared.contracts.notifier import EVENTS, ContactMailSettled, InvitationUndelivered, MailKind
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.contracts.pleo import BounceKind, MailBounced
from shared.decider import Said
from shared.messages import Heard

PATIENCE = timedelta(days=5)  # how long such a mail waits for the mail server; digests have N11


def mails(event: InvitationMailed | UndeliveredMailed | EndTold, now: datetime, trace: str | None) -> list[Mail]:
    """Return the mails that *event* asks for."""
    match event:
        case InvitationMailed():
            return [_invitation(event, now, trace)]
        case UndeliveredMailed():
            return [_undelivered(event, now, trace)]
        case EndTold():
            return _ended(event, now, trace)


def _invitation(event: InvitationMailed, now: datetime, trace: str | None) -> Mail:
    """Return the one mail that brings a contact their link (O1, O6)."""
    id = invitation_mail_id(event.client_id, event.number, event.occasion, event.reminder)
    part = Part(event.client_id, now + PATIENCE)
    matter = event.model_dump(mode="json")
    return Mail(id, MailKind.INVITATION, event.firm_id, None, event.at, now, (part,), trace, matter)


def _undelivered(event: UndeliveredMailed, now: datetime, trace: str | None) -> Mail:
    """Return the one mail that tells the inviting admin so (O10)."""
    id = undelivered_mail_id(event.client_id, event.number, event.by)
    part = Part(event.client_id, now + PATIENCE)
    matter = event.model_dump(mode="json")
    return Mail(id, MailKind.UNDELIVERED, event.firm_id, event.by, event.at, now, (part,), trace, matter)


def _ended(event: EndTold, now: datetime, trace: str | None) -> list[Mail]:
    """Return a mail for everybody who is to know of a final state (O7)."""
    part = Part(event.client_id, now + PATIENCE)
    matter = event.model_dump(mode="json", exclude={"recipients"})
    ids = {to: end_mail_id(event.client_id, event.state, to) for to in event.recipients}
    return [Mail(id, MailKind.END, event.firm_id, to, event.at, now, (part,), trace, matter) for to, id in ids.items()]


def settled(event: ContactMailSettled, at: datetime) -> Sequence[Any]:
    """Remember that a contact's mail is dealt with, and tell onboarding if it reached nobody (O10)."""
    if event.delivered:
        return [MailRecorded(event.mail_id)]
    return [MailRecorded(event.mail_id), _reached_nobody(event.client_id, event.address, event.number, at)]


def bounced(heard: Heard[MailBounced]) -> Sequence[Any]:
    """Tell onboarding that the mail provider gave a contact's mail back for good (O10)."""
    event = heard.message
    if event.client_id is None or event.kind is not BounceKind.HARD:
        return []
    return [_reached_nobody(event.client_id, event.address, None, heard.time)]


def _reached_nobody(client_id: Any, address: str, number: int | None, at: datetime) -> Said:
    return Said(EVENTS, client_id, InvitationUndelivered(client_id=client_id, address=address, number=number, at=at))
