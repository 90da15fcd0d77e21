"""What other Pleo services tell of a client, so that the page has something to show."""

from __future__ import annotations

from tests.e2e.portal import Firm


async def missing(firm: Firm, client_id: str, count: int) -> None:
    """Let *count* receipts be missing, and wait until the row shows it."""
    for n in range(count):
        data = {"client_id": client_id, "expense_id": f"m{n}"}
        await firm.outside.event("pleo.receipts", "pleo.receipt.missing.v1", data)
    await firm.figure(client_id, "missing_receipts", count)


async def none_missing(firm: Firm, client_id: str) -> None:
    """Let every receipt be there: zero, not unknown."""
    data = {"client_id": client_id, "expense_id": "m0"}
    await firm.outside.event("pleo.receipts", "pleo.receipt.attached.v1", data)
    await firm.figure(client_id, "missing_receipts", 0)


async def ready(firm: Firm, client_id: str, count: int) -> None:
    """Let *count* expenses be ready to export."""
    for n in range(count):
        data = {"client_id": client_id, "expense_id": f"r{n}"}
        await firm.outside.event("pleo.expenses", "pleo.expense.export_ready.v1", data)
    await firm.figure(client_id, "export_ready", count)


async def balance(firm: Firm, client_id: str, amount_minor: int, *, low: bool) -> None:
    """Let the account hold that many cents."""
    data = {"client_id": client_id, "balance": {"amount_minor": amount_minor, "currency": "EUR"}, "low": low}
    await firm.outside.event("pleo.balances", "pleo.balance.changed.v1", data)
    await firm.figure(client_id, "balance", data["balance"])


async def verified(firm: Firm, client_id: str, state: str, sequence: int = 1) -> None:
    """Let the verification of a company stand at *state*."""
    data = {"client_id": client_id, "sequence": sequence, "state": state}
    if state == "information_required":
        data["missing"] = [{"code": "register_extract", "text": "Ein aktueller Handelsregisterauszug fehlt."}]
    await firm.outside.event("pleo.verification", "pleo.verification.changed.v1", data)


async def invite(firm: Firm, name: str, *assign: str) -> str:
    """Invite a company to Pleo as the admin; return its id."""
    contact = {"contact_name": "Robin Sander", "contact_email": f"robin@{firm.id}.example", "country": "DE"}
    answer = await firm.post("/v1/onboarding", {"company_name": name, **contact, "assign": list(assign)})
    assert answer.status == 201, answer
    return str(answer.body["result"]["client_id"])
