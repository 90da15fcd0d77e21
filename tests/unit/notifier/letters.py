"""The mails as people get them, for golden files and pictures.

``python -m tests.unit.notifier.letters record`` writes the golden files anew; ``pictures FOLDER`` renders them in a browser,
for the desk and the phone, light and dark, to be looked at.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from services.notifier.domain.mail import Knowledge, Part, plan_digest
from services.notifier.domain.subscription import Mailed, Subscription
from services.notifier.letters import Letter, digest_letter, invitation_letter, reminder_letter
from shared.contracts.base import ClientId, FirmId, MemberId, Money
from shared.contracts.clients import ClientState, ReminderRequested
from shared.contracts.notifier import Frequency
from shared.contracts.onboarding import InvitationMailed
from tests.unit.notifier.world import FIRM, LEYLA, MONDAY, MUELLER, THURSDAY, client

URL = "https://portal.example"
GOLDEN = Path(__file__).parent / "golden"
CHROMIUM = "/usr/bin/chromium"
WIDTHS = {"desk": 800, "phone": 375}


def letters() -> Mapping[str, Letter]:
    """Return the mails by name."""
    digest = plan_digest([Part(ClientId(id), MONDAY + timedelta(hours=6)) for id in KNOWN], MONDAY, KNOWN, MONDAY)
    return {
        "digest-de": digest_letter(digest, "Leyla Özdemir", "de-DE", URL, _link),
        "digest-en": digest_letter(digest, "Leyla Özdemir", "en-GB", URL, _link),
        "reminder-de": reminder_letter(_reminder("Bitte bis Freitag.\n\nDanke & Gruß\n<Anna>"), "Leyla Özdemir", "de", URL),
        "reminder-en": reminder_letter(_reminder(None), "Leyla Özdemir", "en", URL),
        "invitation-de": invitation_letter(_invitation(), "Berg & Partner", "de", f"{URL}/onboarding/token"),
        "invitation-en": invitation_letter(_invitation(), "Berg & Partner", "en", f"{URL}/onboarding/token"),
    }


def _link(client_id: str | None) -> str:
    return f"{URL}/u/token-of-{client_id}"


def _known(state: ClientState, last: Mailed | None = None) -> Knowledge:
    since = THURSDAY
    subscription = Subscription(FirmId(FIRM), MemberId(LEYLA), state.client_id, True, Frequency.DAILY, True, since, mailed=last)
    return Knowledge(True, subscription, state)


def _euros(cents: int) -> Money:
    return Money(amount_minor=cents, currency="EUR")


_STATES = (
    _known(client("c-1", "Café Zuckersüß", 12, 5, _euros(-4_215), low=True), Mailed(THURSDAY, 10, 7, 103_920, "EUR")),
    _known(
        client("c-2", "Müller Bau GmbH & Co. KG", 1_204, 38, _euros(12_345_678)), Mailed(THURSDAY, 1_204, 38, 12_300_000, "EUR")
    ),
    _known(client("c-3", "Öztürk Gastronomiebetriebsgesellschaft für Veranstaltungen mbH", 1, None, None)),
    _known(client("c-4", "Zimmerei Ährenhof", 0, 0, _euros(50_000))),
)
KNOWN = {str(known.client.client_id): known for known in _STATES if known.client}


def _reminder(comment: str | None) -> ReminderRequested:
    tasks: list[Mapping[str, Any]] = [
        {"task": "missing_receipts", "count": 3, "outstanding": True},
        {"task": "export_ready", "count": 12, "outstanding": True},
        {"task": "low_balance", "balance": {"amount_minor": 1250, "currency": "EUR"}, "outstanding": True},
    ]
    ids = {"command_id": "k", "reminder_id": "r", "firm_id": FIRM, "client_id": MUELLER, "client_name": "Müller Bau GmbH"}
    by = {"requested_at": MONDAY, "by": {"id": "m-anna", "name": "Anna Berg"}, "reply_to": "anna@firm.example"}
    return ReminderRequested.model_validate({**ids, **by, "tasks": tasks, "comment": comment, "recipients": []}, strict=False)


def _invitation(company: str = "Neu & Söhne AG") -> InvitationMailed:
    who = {"company_name": company, "contact_name": "Ida Neu", "contact_email": "ida@neu.example"}
    more = {"number": 1, "occasion": "invite", "by": "m-anna", "reply_to": "anna@firm.example", "at": MONDAY}
    return InvitationMailed.model_validate({"firm_id": FIRM, "client_id": MUELLER, **who, **more}, strict=False)


def record() -> None:
    """Write what the mails say now into the golden files."""
    GOLDEN.mkdir(exist_ok=True)
    for name, letter in letters().items():
        for path, text in golden(name, letter).items():
            path.write_text(text, newline="")


def golden(name: str, letter: Letter) -> Mapping[Path, str]:
    """Return the golden files of a mail and what they should hold."""
    return {GOLDEN / f"{name}.txt": f"Subject: {letter.subject}\n\n{letter.text}\n", GOLDEN / f"{name}.html": f"{letter.html}\n"}


async def pictures(folder: Path) -> None:
    """Render every mail in headless Chromium, for the desk and the phone, light and dark."""
    from playwright.async_api import async_playwright

    async with async_playwright() as browsers:
        browser = await browsers.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for device, width in WIDTHS.items():
            for scheme in ("light", "dark"):
                page = await browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
                for name, letter in letters().items():
                    await page.set_content(letter.html)
                    await page.screenshot(path=folder / f"{name}-{device}-{scheme}.png", full_page=True)
        await browser.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record"]:
            record()
        case ["pictures", where]:
            asyncio.run(pictures(Path(where)))
        case _:
            sys.exit(__doc__)
