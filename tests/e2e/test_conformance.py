"""What answers come is what the description says, for any input that a fuzzer thinks of (contract, section 1; E1)."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest

from tests.e2e.portal import ROOT, Firm, Outside

SECONDS = 25
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "allow_header_conformance", "unsupported_method",
)  # fmt: skip
NOT_OURS = "^/v1/stream$|^/dev/"  # the one never ends, the others are the local run's


async def fuzzed(outside: Outside, token: str, config: Path, *which: str) -> tuple[int, str]:
    """Return exit code and words of a run of Schemathesis against the running system."""
    options = ["--url", outside.url, "-H", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), "--no-color"]
    budget = [
        "--phases",
        "examples,coverage,fuzzing",
        "-n",
        "8",
        "--max-time",
        str(SECONDS),
        "--seed",
        "1",
        "--rate-limit",
        "40/s",
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{outside.url}/openapi.json",
        *options, *budget, *which, cwd=config.parent, env={"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.fixture
async def known(firm: Firm, tmp_path: Path) -> Path:
    """A configuration that names things which are there, so that more than 404 is met."""
    client_id = await firm.client("Müller Bau", firm.tom)
    command_id = (await firm.post(f"/v1/clients/{client_id}/access")).body["command_id"]
    ids = {"path.client_id": client_id, "path.member_id": firm.tom, "path.command_id": command_id}
    config = tmp_path / "schemathesis.toml"
    config.write_text("[parameters]\n" + "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in ids.items()))
    return config


async def test_a_members_answers_are_as_described(firm: Firm, outside: Outside, known: Path) -> None:
    """E1: no 5xx, every status declared, every body and header of its shape, whatever is sent."""
    code, said = await fuzzed(outside, firm.admin, known, "--exclude-path-regex", NOT_OURS)
    assert code == 0, said[-6000:]
    tested = re.search(r"Tested: (\d+)", said)
    assert tested is not None
    assert int(tested[1]) >= 20


async def test_a_services_answers_are_as_described(outside: Outside, known: Path) -> None:
    """E1, for the product's calls."""
    services = "^/v1/access-grants/redeem$|^/v1/onboarding-links/resolve$"
    code, said = await fuzzed(outside, await outside.service_token(), known, "--include-path-regex", services)
    assert code == 0, said[-6000:]
