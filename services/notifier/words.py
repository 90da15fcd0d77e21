"""What mails say in German and English, and how figures, money and times are written in a member's locale (G1)."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from services.notifier.domain.schedule import BERLIN
from shared.clock import stamp_of
from shared.contracts.base import Money, minor_digits
from shared.problems import german

MINUS = "\u2212"
MINUTE = len("2026-11-20T08:12")


@lru_cache(maxsize=256)
def locale_of(tag: str | None) -> Locale:
    """Return the locale in which figures are written: their own where it speaks the mail's language, else ``de`` or ``en``."""
    language = "de" if german(tag) else "en"
    try:
        own = Locale.parse((tag or language).replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse(language)
    return own if own.language == language else Locale.parse(language)


@lru_cache(maxsize=4096)
def _moment(minute: str, locale: Locale) -> str:
    """Return a stamp, to the minute, as people write it in Berlin."""
    moment = datetime.fromisoformat(f"{minute}+00:00").astimezone(BERLIN)
    length = "short" if locale.language == "de" else "medium"
    return f"{format_date(moment.date(), length, locale)}, {format_time(moment, 'short', BERLIN, locale)}"


@lru_cache(maxsize=4096)
def _number(value: int, locale: Locale) -> str:
    return format_decimal(value, locale=locale)


@lru_cache(maxsize=4096)
def _money(amount_minor: int, currency: str, locale: Locale) -> str:
    digits, pattern = minor_digits(currency), copy(locale.currency_formats["standard"])
    pattern.frac_prec = (digits, digits)  # Babel's own are CLDR's, by which 12.34 RSD would be 1,234
    amount = Decimal(amount_minor).scaleb(-digits)
    return str(pattern.apply(amount, locale, currency, currency_digits=False)).replace("-", MINUS)


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language, figures in one locale."""

    locale: Locale

    @property
    def language(self) -> str:
        """``de`` or ``en``."""
        return self.locale.language

    def say(self, german_text: str, english_text: str) -> str:
        """Return the text of this language."""
        return german_text if self.language == "de" else english_text

    def number(self, value: int) -> str:
        """Return *value* as people write it."""
        return _number(value, self.locale)

    def change(self, value: int) -> str:
        """Return a change with its sign: ``+2`` or ``−2`` (N6)."""
        return f"{'+' if value > 0 else MINUS}{self.number(abs(value))}"

    def money(self, amount_minor: int, currency: str) -> str:
        """Return an amount in the minor unit of its currency as people write it."""
        return _money(amount_minor, currency, self.locale)

    def money_change(self, amount_minor: int, currency: str) -> str:
        """Return a change of a balance with its sign (N6)."""
        return f"{'+' if amount_minor > 0 else MINUS}{self.money(abs(amount_minor), currency)}"

    def since(self, stamp: str | None) -> str:
        """Return since when a figure is true, in Berlin time; empty if never heard of."""
        return f"{self.say('seit', 'since')} {_moment(stamp[:MINUTE], self.locale)}" if stamp else ""

    def moment(self, at: datetime) -> str:
        """Return a moment in Berlin time."""
        return _moment(stamp_of(at)[:MINUTE], self.locale)

    @property
    def no_data(self) -> str:
        """What is said of a figure never heard of (N6)."""
        return self.say("noch keine Angaben", "no data yet")

    def missing(self, count: int) -> str:
        """Say how many receipts are missing."""
        n = self.number(count)
        return self.say(
            f"{n} Quittung fehlt" if count == 1 else f"{n} Quittungen fehlen",
            f"{n} receipt missing" if count == 1 else f"{n} receipts missing",
        )

    def ready(self, count: int) -> str:
        """Say how many expenses can be exported."""
        n = self.number(count)
        return self.say(
            f"{n} Ausgabe bereit zum Export" if count == 1 else f"{n} Ausgaben bereit zum Export",
            f"{n} expense ready to export" if count == 1 else f"{n} expenses ready to export",
        )

    def low(self, balance: Money | None) -> str:
        """Say that a balance is low, and how low."""
        amount = f" ({self.money(balance.amount_minor, balance.currency)})" if balance else ""
        return self.say(f"Kontostand niedrig{amount}", f"balance low{amount}")

    def low_clients(self, count: int) -> str:
        """Say at how many clients the balance is low."""
        n = self.number(count)
        return self.say(f"{n}-mal Kontostand niedrig", f"{n} low balance" if count == 1 else f"{n} low balances")

    def clients_need_you(self, count: int) -> str:
        """Say how many clients the mail is about."""
        n = self.number(count)
        return self.say(
            f"{n} Mandant braucht Sie" if count == 1 else f"{n} Mandanten brauchen Sie",
            f"{n} client needs you" if count == 1 else f"{n} clients need you",
        )


def words_for(tag: str | None) -> Words:
    """Return the words for a member's locale: ``de…`` and absent German, anything else English (G1)."""
    return Words(locale_of(tag))
