"""What a mail will say and whom it will reach, frozen before it is sent: from a mail and a view to a letter, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from services.notifier.access import View
from services.notifier.domain.mail import Digest, Knowledge, Mail, barred, plan_digest
from services.notifier.letters import (
    REMINDED,
    Letter,
    digest_letter,
    end_letter,
    invitation_letter,
    reminder_letter,
    undelivered_letter,
)
from services.notifier.links import Links
from services.notifier.post import DELIVERIES, Posted
from shared.auth import derive
from shared.contracts.clients import EndTold, ReminderRequested
from shared.contracts.notifier import ClientDelivery, DeliveryStatus, MailKind, SkipReason
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed

UNANSWERED, ENDED = ("invited", "invitation"), "ended"  # what a client's status is while its contact is asked, and in the end
_DIGEST = TypeAdapter(Digest)


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending means for every client of a mail, and what is frozen of the mail; *letter* None: nothing is to be sent."""

    deliveries: Sequence[ClientDelivery]
    letter: Mapping[str, Any] | None
    digest: Digest | None = None


def plan(mail: Mail, view: View, now: datetime) -> Plan:
    """Return what *mail* is to say at *now*. A secret is never frozen (invariant 12)."""
    match mail.kind:
        case MailKind.DIGEST:
            return _digest(mail, view, now)
        case MailKind.REMINDER:
            return _to_member(mail, view, now)
        case MailKind.INVITATION:
            return _invitation(mail, view, now)
        case MailKind.END | MailKind.UNDELIVERED:
            return _to_member(mail, view, now)


def overtaken(posted: Posted, view: View, now: datetime) -> list[ClientDelivery]:
    """Return what must not be sent any more though the letter tells of it: access lost, switched off, or too late (N9, N11)."""
    mail = posted.mail
    frozen = posted.letter["deliveries"] if posted.letter else ()
    told = {delivery["client_id"] for delivery in frozen if delivery["status"] == DeliveryStatus.SENT}
    if mail.kind is MailKind.DIGEST:
        known = view.known(mail)
        found = [barred(part, mail.due_at, known[part.client_id], now) for part in mail.parts if part.client_id in told]
        return [delivery for delivery in found if delivery is not None]
    return [delivery for delivery in [_why_not(mail, view, now)] if delivery is not None]


def readdressed(posted: Posted, view: View) -> bool:
    """Say whether the letter is for an address that its reader has no more: what is known against it counts no more (N14)."""
    recipient = view.recipient(posted.mail)
    return recipient is not None and posted.letter is not None and recipient["email"] != posted.letter["address"]


def letter_of(posted: Posted, links: Links, portal_url: str, secret: str) -> Letter:
    """Return the letter that was frozen, as it is read; links with secrets are derived only here."""
    mail, frozen = posted.mail, posted.letter
    assert frozen is not None
    match mail.kind:
        case MailKind.DIGEST:
            digest = posted.digest or _DIGEST.validate_python({**frozen["digest"], "deliveries": ()}, strict=False)
            return digest_letter(digest, frozen["name"], frozen["locale"], portal_url, links.of_mail(mail))
        case MailKind.REMINDER:
            reminder = ReminderRequested.model_validate({**mail.matter, "recipients": []}, strict=False)
            return reminder_letter(reminder, frozen["name"], frozen["locale"], portal_url)
        case MailKind.INVITATION:
            invitation = InvitationMailed.model_validate(mail.matter, strict=False)
            token = derive(secret, "onboarding", invitation.client_id, str(invitation.number))
            return invitation_letter(invitation, frozen["firm_name"], frozen["locale"], f"{portal_url}/onboarding/{token}")
        case MailKind.UNDELIVERED:
            undelivered = UndeliveredMailed.model_validate(mail.matter, strict=False)
            return undelivered_letter(undelivered, frozen["name"], frozen["locale"], portal_url)
        case MailKind.END:
            end = EndTold.model_validate({**mail.matter, "recipients": []}, strict=False)
            return end_letter(end, frozen["name"], frozen["locale"], portal_url)


def reply_to(mail: Mail) -> tuple[str, str] | None:
    """Return whom an answer goes to: the admin who reminds or invites (R4)."""
    match mail.kind:
        case MailKind.REMINDER:
            return mail.matter["by"]["name"], mail.matter["reply_to"]
        case MailKind.INVITATION:
            return "", mail.matter["reply_to"]
        case MailKind.DIGEST | MailKind.END | MailKind.UNDELIVERED:
            return None


def _digest(mail: Mail, view: View, now: datetime) -> Plan:
    digest = plan_digest(mail.parts, mail.due_at, view.known(mail), now)
    recipient = view.recipient(mail)
    if not digest.told or recipient is None:
        return Plan(digest.deliveries, None)
    frozen = _frozen(digest.deliveries, recipient, now, digest=_DIGEST.dump_python(digest, exclude={"deliveries"}))
    return replace(frozen, digest=digest)


def _to_member(mail: Mail, view: View, now: datetime) -> Plan:
    why_not, recipient = _why_not(mail, view, now), view.recipient(mail)
    if why_not is not None or recipient is None:
        return Plan([why_not or _delivery(mail, DeliveryStatus.SKIPPED, SkipReason.ACCESS_LOST)], None)
    return _frozen([_delivery(mail, DeliveryStatus.SENT)], recipient, now)


def _invitation(mail: Mail, view: View, now: datetime) -> Plan:
    why_not, inviter = _why_not(mail, view, now), view.inviter(mail)
    if why_not is not None:
        return Plan([why_not], None)
    contact = {"name": mail.matter["contact_name"], "email": mail.matter["contact_email"], "locale": inviter.get("firm_locale")}
    return _frozen([_delivery(mail, DeliveryStatus.SENT)], contact, now, firm_name=inviter.get("firm_name"))


def _why_not(mail: Mail, view: View, now: datetime) -> ClientDelivery | None:
    """Return why a mail about one client does not go: the member was removed, the client disconnected or answered, too late."""
    part = mail.parts[0]
    known = view.known(mail)[part.client_id]
    if (mail.member_id is not None and view.recipient(mail) is None) or _is_void(mail, known):
        return _delivery(mail, DeliveryStatus.SKIPPED, SkipReason.ACCESS_LOST)
    if mail.kind is MailKind.REMINDER and known.bounces:  # R6: a complaint stops digests only
        return _delivery(mail, DeliveryStatus.SKIPPED, SkipReason.SUPPRESSED)
    return _delivery(mail, DeliveryStatus.MISSED) if now > part.give_up_at else None


def _is_void(mail: Mail, known: Knowledge) -> bool:
    """Say whether what happened to the client ends a waiting mail about it (I5, R1).

    An invitation ends with its withdrawal, its reminders with the contact's answer (O6). A mail of onboarding may come
    before its client's row is known here.
    """
    client = known.client
    match mail.kind:
        case MailKind.REMINDER:
            return not known.allowed or client is None or not client.connected
        case MailKind.INVITATION:
            answered = client is not None and REMINDED in mail.matter["occasion"] and client.status not in UNANSWERED
            return answered or (client is not None and client.status == ENDED)
        case _:
            return client is not None and client.parted


def _delivery(mail: Mail, status: DeliveryStatus, reason: SkipReason | None = None) -> ClientDelivery:
    return ClientDelivery(client_id=mail.parts[0].client_id, status=status, reason=reason)


def _frozen(deliveries: Sequence[ClientDelivery], to: Mapping[str, Any], now: datetime, **more: Any) -> Plan:
    letter = {
        "name": to["name"],
        "address": to["email"],
        "locale": to["locale"],
        "date": now,
        "deliveries": DELIVERIES.dump_python(list(deliveries), mode="json"),
        **more,
    }
    return Plan(deliveries, letter)
