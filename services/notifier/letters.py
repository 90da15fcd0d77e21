"""What a mail says: subject, text and HTML as pure functions of frozen figures, in the reader's language (N6-N8, R4, G1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from services.notifier import forms
from services.notifier.domain.mail import Digest, Told
from services.notifier.links import LinkOf
from services.notifier.words import Words, words_for
from shared.contracts.base import Money, Task
from shared.contracts.clients import EndTold, Figure, ReminderRequested
from shared.contracts.onboarding import InvitationMailed, UndeliveredMailed

_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ISOLATES = re.compile("[\u2066-\u2069]")
OWN = "\0"  # stands for the link that is the member's own, the last value of a client's part
REMINDED = "remind"  # within an invitation's occasion: not the first mail with this link


@dataclass(frozen=True, slots=True)
class Letter:
    """The parts of a mail; they hold no time of sending, so that a preview has the same bytes (N15)."""

    subject: str
    text: str
    html: str


class Row(NamedTuple):
    """A figure as a digest shows it; *value* is empty if it was never heard of."""

    label: str
    value: str
    change: str
    note: str
    since: str


class Block(NamedTuple):
    """What a digest shows of one client."""

    name: str
    rows: Sequence[Row]
    url: str
    unsubscribe: str


def digest_letter(digest: Digest, name: str, locale: str | None, portal_url: str, link: LinkOf) -> Letter:
    """Return the mail that tells *digest* to the member called *name*; *link* ends what a client's subscription is."""
    w = words_for(locale)
    clients = [
        Block(isolated(told.name), _rows(told, w), f"{portal_url}/?client={told.client_id}", link(told.client_id))
        for told in digest.told
    ]
    subject, more = digest_subject(digest, w), w.number(digest.more) if digest.more else ""
    values = {"subject": subject, "name": isolated(name), "more": more, "portal_url": portal_url}
    text = forms.text("digest.txt", w.language, {**values, "told": _in_text(clients, w)})
    html = forms.html("digest.html", w.language, {**values, "told": _in_html(clients, w)})
    return Letter(subject, text, html)


def _in_text(clients: Sequence[Block], w: Words) -> str:
    """Return what the text part says of *clients*: labels and figures stand below one another."""
    rows, no_data = [row for client in clients for row in client.rows], w.no_data
    labels, figures = max((len(row.label) for row in rows), default=0) + 1, max((len(row.value) for row in rows), default=0)

    def line(label: str, value: str, change: str, note: str, since: str) -> str:
        known = f"{label + ':':<{labels}} {value:>{figures}}" if value else f"{label + ':':<{labels}} {no_data}"
        return f"  {known}{change and ' ' + change}{note and f' ({note})'}{since and ', ' + since}"

    told = []
    for name, some, url, unsubscribe in clients:
        values = {"client": name, "figures": "\n".join([line(*row) for row in some]), "url": url, "unsubscribe": unsubscribe}
        told.append(forms.text("digest_client.txt", w.language, values))
    return "\n".join(told)


def _in_html(clients: Sequence[Block], w: Words) -> Markup:
    told = []
    for name, rows, url, unsubscribe in clients:
        before, behind = _client(name, tuple(rows), url, w.language)
        told.append(f"{before}{escape(unsubscribe)}{behind}")
    return Markup("\n".join(told))


@lru_cache(maxsize=1024)
def _client(name: str, rows: tuple[Row, ...], url: str, language: str) -> tuple[str, str]:
    """Return what stands before and behind the link that is the member's own: the same clients stand in many mails."""
    figures = Markup("\n".join([_figure(row, language) for row in rows]))
    values = {"client": name, "figures": figures, "url": url, "unsubscribe": OWN}
    before, _, behind = forms.html("digest_client.html", language, values).rpartition(OWN)
    return before, behind


@lru_cache(maxsize=8192)
def _figure(row: Row, language: str) -> Markup:
    """Return a row of a client's table; many have the same."""
    return forms.html("digest_figure.html", language, row._asdict())


def isolated(name: str) -> str:
    """Return *name*, held apart if it holds marks that would turn the text after it around."""
    if not _TURNS.search(name):
        return name
    return f"\u2068{_ISOLATES.sub('', name)}\u2069"


def digest_subject(digest: Digest, w: Words) -> str:
    """Return a subject that says the essential: "3 Mandanten brauchen Sie: 14 Quittungen fehlen"."""
    if digest.missing_in_all:
        essential = w.missing(digest.missing_in_all)
    elif digest.low_in_all:
        essential = w.low_clients(digest.low_in_all)
    elif digest.ready_in_all:
        essential = w.ready(digest.ready_in_all)
    else:
        return w.say("Bei Ihren Mandanten ist nichts offen", "Nothing is outstanding with your clients")
    return f"{w.clients_need_you(digest.needing)}: {essential}"


def reminder_letter(reminder: ReminderRequested, name: str, locale: str | None, portal_url: str) -> Letter:
    """Return the mail by which an admin reminds the member called *name* (R4)."""
    w = words_for(locale)
    by, client = isolated(reminder.by.name), isolated(reminder.client_name)
    tasks = [_task(figure, w) for figure in reminder.tasks]
    subject = w.say(f"{by} erinnert Sie an {client}: {tasks[0]}", f"{by} reminds you of {client}: {tasks[0]}")
    intro = w.say(f"{by} bittet Sie, sich um {client} zu kümmern:", f"{by} asks you to look after {client}:")
    values = {"name": isolated(name), "by": by, "client": client, "intro": intro, "tasks": tasks, "comment": reminder.comment}
    return _letter("reminder", subject, w=w, url=f"{portal_url}/?client={reminder.client_id}", **values)


def invitation_letter(invitation: InvitationMailed, firm_name: str | None, locale: str | None, link: str) -> Letter:
    """Return the mail that asks a contact to come to Pleo; *locale* is the firm's."""
    w = words_for(locale)
    firm = isolated(firm_name) if firm_name else w.say("Ihre Buchhaltungsfirma", "Your accounting firm")
    company = isolated(invitation.company_name)
    subject = w.say(f"{firm} lädt {company} zu Pleo ein", f"{firm} invites {company} to Pleo")
    if REMINDED in invitation.occasion:
        subject = f"{w.say('Erinnerung', 'Reminder')}: {subject}"
    intro = w.say(
        f"{firm} möchte {company} bei Pleo betreuen und lädt Sie ein, das Konto einzurichten.",
        f"{firm} would like to look after {company} on Pleo and invites you to set up the account.",
    )
    return _letter("invitation", subject, w=w, name=isolated(invitation.contact_name), intro=intro, link=link)


ENDS = {
    "verified": (
        "ist verifiziert",
        "is verified",
        "Die Prüfung ist abgeschlossen: {client} kann Pleo nutzen.",
        "The verification is complete: {client} can use Pleo.",
    ),
    "rejected": (
        "wurde abgelehnt",
        "was rejected",
        "Die Prüfung von {client} ist abgeschlossen, mit einer Ablehnung. Das Onboarding ist damit beendet.",
        "The verification of {client} is complete, with a rejection. The onboarding is over.",
    ),
    "expired": (
        "hat nicht geantwortet",
        "did not answer",
        "Die Einladung an {client} ist nach 30 Tagen ohne Antwort abgelaufen. Sie können das Unternehmen erneut einladen.",
        "The invitation to {client} has expired after 30 days without an answer. You can invite the company again.",
    ),
}


def end_letter(end: EndTold, name: str, locale: str | None, portal_url: str) -> Letter:
    """Return the mail that tells a member the final state of an onboarding, or that it was corrected (O5, O7)."""
    w = words_for(locale)
    german_end, english_end, german_text, english_text = ENDS[end.state]
    client = isolated(end.client_name)
    subject = w.say(f"{client} {german_end}", f"{client} {english_end}")
    if end.corrects is not None:
        subject = f"{w.say('Korrektur', 'Correction')}: {subject}"
    values = {"name": isolated(name), "corrected": end.corrects is not None, "at": w.moment(end.at)}
    intro = w.say(german_text, english_text).format(client=client)
    return _letter("end", subject, w=w, intro=intro, url=f"{portal_url}/?client={end.client_id}", **values)


def undelivered_letter(undelivered: UndeliveredMailed, name: str, locale: str | None, portal_url: str) -> Letter:
    """Return the mail that tells the inviting admin that the contact cannot be reached (O10)."""
    w = words_for(locale)
    company, contact = isolated(undelivered.company_name), f"{isolated(undelivered.contact_name)} ({undelivered.contact_email})"
    subject = w.say(f"Einladung an {company} nicht zustellbar", f"Invitation to {company} could not be delivered")
    values = {"name": isolated(name), "company": company, "contact": contact}
    return _letter("undelivered", subject, w=w, url=f"{portal_url}/?client={undelivered.client_id}", **values)


def _letter(template: str, subject: str, **values: Any) -> Letter:
    said = {"subject": subject, **values}
    return Letter(subject, forms.rendered(f"{template}.txt", said), forms.rendered(f"{template}.html", said))


def _rows(told: Told, w: Words) -> list[Row]:
    f = told.figures
    return [
        _row(
            w,
            w.say("Kontostand", "Account balance"),
            _balance(f.balance, w),
            _balance_change(told, w),
            f.balance_at,
            w.say("niedrig", "low") if f.low_balance else "",
        ),
        _row(
            w,
            w.say("Fehlende Quittungen", "Missing receipts"),
            _count(f.missing_receipts, w),
            _change(told.missing_change, w),
            f.missing_receipts_at,
        ),
        _row(
            w,
            w.say("Ausgaben bereit zum Export", "Expenses ready to export"),
            _count(f.export_ready, w),
            _change(told.ready_change, w),
            f.export_ready_at,
        ),
    ]


def _row(w: Words, label: str, value: str | None, change: str, as_of: str | None, note: str = "") -> Row:
    return Row(label, value or "", change, note, w.since(as_of) if value is not None else "")


def _count(value: int | None, w: Words) -> str | None:
    return None if value is None else w.number(value)


def _balance(balance: Money | None, w: Words) -> str | None:
    return None if balance is None else w.money(balance.amount_minor, balance.currency)


def _change(value: int | None, w: Words) -> str:
    return "" if value is None else w.change(value)


def _balance_change(told: Told, w: Words) -> str:
    balance = told.figures.balance
    return "" if balance is None or told.balance_change is None else w.money_change(told.balance_change, balance.currency)


def _task(figure: Figure, w: Words) -> str:
    match figure.task:
        case Task.MISSING_RECEIPTS:
            return (
                w.missing(figure.count)
                if figure.count is not None
                else f"{w.say('Fehlende Quittungen', 'Missing receipts')}: {w.no_data}"
            )
        case Task.EXPORT_READY:
            return (
                w.ready(figure.count)
                if figure.count is not None
                else f"{w.say('Ausgaben bereit zum Export', 'Expenses ready to export')}: {w.no_data}"
            )
        case Task.LOW_BALANCE if figure.outstanding:
            return w.low(figure.balance)
        case Task.LOW_BALANCE:
            return f"{w.say('Kontostand', 'Account balance')}: {_balance(figure.balance, w) or w.no_data}"
