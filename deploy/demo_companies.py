"""Who the demo firm's clients are, and what is true of them: the same at every call."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

ADMIN, TOM, NINA = "demo-leyla", "demo-tom", "demo-nina"
STARTED = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
SPAN = timedelta(days=78)
NAMES = (
    "Bäckerei Kornblume GmbH", "Müller & Söhne Bau GmbH", "Autohaus Schäfer KG", "Öztürk Gastronomie UG",
    "Physiotherapie am Ring", "Elektro Kühn e.K.", "Dachdeckerei Hoffmann GmbH", "Jäger Immobilien GmbH",
    "Tischlerei Großmann", "Krüger Sanitär & Heizung", "Weinhandlung Baur", "Lindner Steuertechnik GmbH",
    "Yılmaz Logistik GmbH", "Praxis Dr. Vogt", "Strauß Metallbau GmbH & Co. KG", "Reuter Gartengestaltung",
    "Niehaus Möbelwerkstätten", "Petersen Fischfeinkost", "Ahrens Architekten PartG mbB", "Falkner Filmproduktion GmbH",
    "Hotel Seeblick Betriebs-GmbH", "Kita Löwenzahn gGmbH", "Brauerei Hirschquell AG", "Zimmerei Obermüller",
    "Muellerhof Biogemüse GbR", "Fahrschule Wendepunkt", "Apotheke am Markt", "Optik Scharfblick GmbH",
    "Reinigung Blitzblank UG", "Werbeagentur Querdenken GmbH", "Studio 9 Fotografie", "Studio 10 Tonaufnahmen",
    "Kanzlei Dr. Weiß & Kollegen", "Modehaus Sommerfeld", "Spedition Nordkap GmbH", "Buchhandlung Lesezeichen",
    "Fitness-Werk Süd GmbH", "Landgasthof Zur Linde", "Maler Pinselstrich e.K.", "Schlosserei Eisenhardt",
    "IT-Systemhaus Ostwind GmbH", "Konditorei Zuckerbrot", "Gärtnerei Immergrün", "Zahnärzte am Schlosspark",
    "Solartechnik Mittag GmbH", "Eventhalle Kesselhaus GmbH", "Käserei Almrausch eG", "Textilreinigung Weißer Riese",
    "Bootsverleih Havelblick", "Musikschule Dreiklang", "Tierklinik Vierpfoten GmbH", "Pflegedienst Herbstsonne",
    "Druckerei Bogenmaß GmbH", "Feinmechanik Rädle GmbH & Co. KG",
    "Gesellschaft für nachhaltige Quartiersentwicklung und kommunale Energieberatung Mitteldeutschland mbH",
    "Steinmetz Granitzka", "Café Muckefuck UG", "Gerüstbau Höhenflug GmbH",
)  # fmt: skip
PENDING = 4
VERIFICATIONS: Mapping[int, str] = {2: "verified", 3: "verified", 8: "in_review", 13: "verified", 21: "verified", 30: "rejected"}
"""What the verification of clients that came by invitation stands at (O11)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What another service says: topic, type, data, and when it became true."""

    topic: str
    kind: str
    data: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Company:
    """A demo company and what is true of it; None is what nobody ever said."""

    client_id: str
    name: str
    number: str
    missing: int | None
    ready: int | None
    balance: int | None
    low: bool
    assignees: tuple[str, ...]


def companies() -> list[Company]:
    """Return the companies that added the firm; the last ones still wait for its answer."""
    return [_company(number, name) for number, name in enumerate(NAMES, start=1)]


def _company(number: int, name: str) -> Company:
    dice = random.Random(number)
    heard = number % 11 != 0  # of some, nobody has said anything yet
    low = dice.random() < 0.15
    balance = dice.randrange(800, 19_000) if low else dice.randrange(80_000, 4_200_000)
    return Company(
        client_id=f"demo-{number:03d}",
        name=name,
        number=f"{10_000 + number * 7}",
        missing=dice.choice((0, 0, 0, 1, 2, 3, 5, 14)) if heard else None,
        ready=dice.choice((0, 0, 1, 4, 9, 27)) if heard else None,
        balance=balance if heard and number % 7 else None,
        low=low,
        assignees=dice.choice(((TOM,), (TOM,), (NINA,), (NINA,), (TOM, NINA), (ADMIN,), (ADMIN, TOM, NINA), ())),
    )


def facts(company: Company) -> Iterator[Told]:
    """Yield what other services say of a company, spread over the autumn."""
    dice = random.Random(company.client_id)

    def told(topic: str, kind: str, **data: Any) -> Told:
        return Told(topic, kind, {"client_id": company.client_id, **data}, STARTED + SPAN * dice.random())

    for n in range(company.missing or 0):
        yield told("pleo.receipts", "pleo.receipt.missing.v1", expense_id=f"m{n}")
    if company.missing == 0:
        yield told("pleo.receipts", "pleo.receipt.attached.v1", expense_id="m0")
    for n in range(company.ready or 0):
        yield told("pleo.expenses", "pleo.expense.export_ready.v1", expense_id=f"r{n}")
    if company.ready == 0:
        yield told("pleo.expenses", "pleo.expense.exported.v1", expense_id="r0")
    if company.balance is not None:
        money = {"amount_minor": company.balance, "currency": "EUR"}
        yield told("pleo.balances", "pleo.balance.changed.v1", balance=money, low=company.low)


@dataclass(frozen=True, slots=True)
class Invited:
    """A company that the demo firm invites to Pleo, and the verification facts that follow."""

    name: str
    contact: str
    assign: tuple[str, ...]
    states: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    withdrawn: bool = False
    undelivered: bool = False


INVITED = (
    Invited("Atelier Nordlicht GmbH", "Robin Sander", (TOM,)),
    Invited("Papeterie Federleicht", "Mia Thalheim", (), undelivered=True),
    Invited("Fahrradladen Speiche 9", "Jonas Rieger", (NINA,), ("accepted",)),
    Invited("Praxis Dr. Sömmering", "Ida Sömmering", (TOM,), ("accepted", "connected")),
    Invited("Hofladen Sonnenblume", "Karl Ebert", (NINA, TOM), ("accepted", "connected", "in_review")),
    Invited(
        "Weingut Rebstock KG",
        "Lena Rebstock",
        (TOM,),
        ("accepted", "connected", "in_review", "information_required"),
        (
            ("register_extract", "Ein aktueller Handelsregisterauszug fehlt."),
            ("owner_id", "Vom Ausweis der Geschäftsführerin fehlt die Rückseite."),
        ),
    ),
    Invited("Kaffeerösterei Bohne 10", "Paul Winter", (NINA,), ("accepted", "connected", "in_review", "verified")),
    Invited("Surfschule Wellenreiter", "Tim Hansen", (ADMIN,), ("accepted", "connected", "in_review", "rejected")),
    Invited("Antiquariat Eselsohr", "Greta Lohse", (), withdrawn=True),
)
