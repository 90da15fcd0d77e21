"""Pictures of the portal's mails as a mail program shows them, and of the page behind their links."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.browser.walk import PHONE, Scheme
from tests.e2e.portal import Outside
from tests.system import eventually

LEYLA, TOM = "demo-leyla", "demo-tom"
LEYLAS, TOMS, CONTACT = "leyla@sommer-partner.example", "tom@sommer-partner.example", "kontakt0@mandant.example"
ENGLISH = {
    "firm_id": "demo",
    "member_id": LEYLA,
    "name": "Leyla Özdemir",
    "role": "admin",
    "email": LEYLAS,
    "locale": "en-GB",
    "sequence": 2,
}
WINDOW: dict[str, Any] = {"viewport": {"width": 720, "height": 560}}
PROGRAM = (
    '<div style="font:13px/20px system-ui,sans-serif;padding:12px 16px;background:#fff;color:#333;border-bottom:1px solid #ccc">'
    '<div style="font-size:17px;line-height:26px;font-weight:600;color:#111">{subject}</div>{sender}<br>an {to}</div>'
)


async def take_all(browser: Browser, outside: Outside, folder: Path) -> None:
    """Let two Mondays come with news between them, and keep what was mailed, in German."""
    monday = _next_monday()
    await _tick(outside, monday)
    await _news(outside)
    await _tick(outside, monday + timedelta(days=7))
    toms = await outside.mails(TOMS)
    digests = [mail for mail in toms if not mail.get("replyTo")]
    reminders = [mail for mail in toms if mail.get("replyTo")]
    (invitation,) = await outside.mails(CONTACT)
    for name, mail in {"digest": digests[-1], "reminder": reminders[0], "invitation": invitation}.items():
        await _show(browser, mail, folder / f"mail-{name}.png", "light")
        await _show(browser, mail, folder / f"mail-{name}-dark.png", "dark")
    await _show(browser, digests[-1], folder / "mail-digest-phone.png", "light", PHONE)
    undelivered = [mail for mail in await outside.mails(LEYLAS) if "Papeterie" in mail["subject"]]
    await _show(browser, undelivered[0], folder / "mail-undelivered.png", "light")
    await _unsubscribe(browser, digests[-1], folder)


async def take_english(browser: Browser, outside: Outside, folder: Path) -> None:
    """Keep the digest and the reminder of someone who reads English."""
    before = len(await outside.mails(LEYLAS))
    await _tick(outside, _next_monday() + timedelta(days=14))
    mails = await eventually(lambda: _more(outside, before))
    await _show(browser, mails[-1], folder / "mail-digest-english.png", "light")


async def _more(outside: Outside, before: int) -> list[Any]:
    mails = await outside.mails(LEYLAS)
    return mails if len(mails) > before else []


def _next_monday() -> datetime:
    today = datetime.now(UTC)
    return (today + timedelta(days=7 - today.weekday())).replace(hour=10, minute=0, second=0, microsecond=0)


async def _tick(outside: Outside, at: datetime) -> None:
    code, said = await outside.python("services.notifier", "tick", "--at", at.isoformat())
    assert code == 0, said


async def _news(outside: Outside) -> None:
    """Let figures of the next digest differ from the last one's."""
    for expense in ("m0", "m1"):
        receipt = {"client_id": "demo-005", "expense_id": expense}
        await outside.event("pleo.receipts", "pleo.receipt.attached.v1", receipt)
    for expense in ("r90", "r91", "r92"):
        await outside.event("pleo.expenses", "pleo.expense.export_ready.v1", {"client_id": "demo-010", "expense_id": expense})
    money = {"amount_minor": 1240, "currency": "EUR"}
    await outside.event("pleo.balances", "pleo.balance.changed.v1", {"client_id": "demo-043", "balance": money, "low": True})
    token = await outside.token(LEYLA)

    async def known() -> bool:
        row = (await outside.call("GET", "/v1/clients/demo-043", token)).body
        return bool(row["balance"] == money)

    await eventually(known)


async def _show(browser: Browser, mail: Any, path: Path, scheme: Scheme, device: Mapping[str, Any] = WINDOW) -> None:
    """Keep a mail's HTML below the lines that a mail program puts above it."""
    context = await browser.new_context(**device, locale="de-DE", color_scheme=scheme)
    page = await context.new_page()
    (sender,), (to,) = mail["from"], mail["to"]
    words = {"subject": mail["subject"], "sender": f"{sender['name']} <{sender['address']}>", "to": to["address"]}
    above = PROGRAM.format(**{name: html.escape(word) for name, word in words.items()})
    await page.set_content(re.sub(r"(<body[^>]*>)", lambda body: body[1] + above, mail["html"], count=1))
    await page.screenshot(path=path, full_page=True)
    path.with_suffix(".txt").write_text(f"{mail['subject']}\n\n{mail['text']}")
    print(f"{path.name}: {mail['subject']}", flush=True)
    await context.close()


async def _unsubscribe(browser: Browser, mail: Any, folder: Path) -> None:
    """Keep the page behind a client's own link, before and after its button, with scripts switched off."""
    links = re.findall(r"http\S+/u/\S+", mail["text"])
    for scheme in ("light", "dark"):
        end = "" if scheme == "light" else "-dark"
        context = await browser.new_context(**WINDOW, locale="de-DE", color_scheme=scheme, java_script_enabled=False)
        page = await context.new_page()
        await page.goto(links[0])
        await page.screenshot(path=folder / f"unsubscribe{end}.png")
        await page.get_by_role("button").first.click()
        await page.get_by_role("status").wait_for()
        await page.screenshot(path=folder / f"unsubscribed{end}.png")
        await page.get_by_role("button", name="Rückgängig machen").click()
        await context.close()
