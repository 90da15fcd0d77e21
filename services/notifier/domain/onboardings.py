"""Mails of onboarding: to the contact, to the admin whose invitation reached nobody, to who waits for its end (O1, O7, O10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.notifier.domain.mail import Mail, about_one, end_mail_id, invitation_mail_id, undelivered_mail_id
from services.notifier.domain.world import MailRecorded
from shared.contracts.clients import EndTold
from shared.contracts.notifier import EVENTS, ContactMailSettled, InvitationUndelivered, MailKind
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed
from shared.contracts.pleo import BounceKind, MailBounced
from shared.decider import Said
from shared.messages import Heard


def mails(event: InvitationMailed | UndeliveredMailed | EndTold, now: datetime, trace: str | None) -> list[Mail]:
    """Return the mails that *event* asks for."""
    match event:
        case InvitationMailed():  # O1, O6
            id = invitation_mail_id(event.client_id, event.number, event.occasion, event.reminder)
            return [about_one(id, MailKind.INVITATION, event, None, event.at, now, trace)]
        case UndeliveredMailed():  # O10
            id = undelivered_mail_id(event.client_id, event.number, event.by)
            return [about_one(id, MailKind.UNDELIVERED, event, event.by, event.at, now, trace)]
        case EndTold():  # O7
            ids = {to: end_mail_id(event.client_id, event.state, to) for to in event.recipients}
            return [about_one(id, MailKind.END, event, to, event.at, now, trace) for to, id in ids.items()]


def settled(event: ContactMailSettled, at: datetime) -> Sequence[Any]:
    """Remember that a contact's mail is dealt with, and tell onboarding if it reached nobody (O10)."""
    if event.delivered:
        return [MailRecorded(event.mail_id)]
    return [MailRecorded(event.mail_id), _reached_nobody(event.client_id, event.address, event.number, at)]


def bounced(heard: Heard[MailBounced], mail: Mail | None) -> Sequence[Any]:
    """Tell onboarding that the mail provider gave a contact's mail back for good; it may name no more than the *mail* (O10)."""
    event = heard.message
    client_id = mail.parts[0].client_id if mail is not None and mail.kind is MailKind.INVITATION else event.client_id
    if client_id is None or event.kind is not BounceKind.HARD:
        return []
    return [_reached_nobody(client_id, event.address, None, heard.time)]


def _reached_nobody(client_id: Any, address: str, number: int | None, at: datetime) -> Said:
    return Said(EVENTS, client_id, InvitationUndelivered(client_id=client_id, address=address, number=number, at=at))
