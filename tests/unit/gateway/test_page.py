"""How the built page is answered: compressed, cached, and allowed to ask nobody else."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from services.gateway.page import routes


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A page of three files, built."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "assets" / "app-1a2b.js").write_text("let a;")
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(b"let a;"))
    (tmp_path / "assets" / "inter.woff2").write_bytes(b"font")
    (tmp_path / ".built").write_text("digest")
    app = httpx.ASGITransport(Starlette(routes=routes(tmp_path)))
    async with httpx.AsyncClient(transport=app, base_url="http://portal") as client:
        yield client


async def test_the_document_is_asked_for_again_and_allows_nothing_unsafe(page: httpx.AsyncClient) -> None:
    """No ``unsafe-*``, no other host; a release is seen at the next visit."""
    answer = await page.get("/")
    assert answer.text == "<!doctype html>"
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_what_has_its_digest_in_its_name_is_kept_for_ever(page: httpx.AsyncClient) -> None:
    """Scripts, styles and fonts never change under their name."""
    answer = await page.get("/assets/inter.woff2")
    assert answer.headers["content-type"] == "font/woff2"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, br", "gzip"), ("GZIP;q=0.5", "gzip"), ("gzip;q=0", None), ("gzip; q=0.00", None), ("deflate", None), ("", None)],
)
async def test_a_file_comes_in_the_encoding_the_caller_takes(
    page: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    """RFC 9110: what is refused by ``q=0`` is not sent; what lies beside the file in no other form is plain."""
    answer = await page.get("/assets/app-1a2b.js", headers={"Accept-Encoding": accepted})
    assert answer.text == "let a;"
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_known_document_is_not_sent_again(page: httpx.AsyncClient) -> None:
    """304 by its ETag."""
    tag = (await page.get("/")).headers["etag"]
    assert (await page.get("/", headers={"If-None-Match": tag})).status_code == 304
    assert (await page.get("/", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_only_what_belongs_to_the_page_is_served(page: httpx.AsyncClient) -> None:
    """No stamp of the build, no way out of the folder."""
    assert (await page.get("/.built")).status_code == 404
    assert (await page.get("/assets/..%2F..%2Fpage.py")).status_code == 404
    assert (await page.get("/assets/app-1a2b.js.gz")).status_code == 404


def test_a_page_that_nobody_built_is_no_fault_of_the_gateway(tmp_path: Path) -> None:
    """The API serves without it."""
    assert routes(tmp_path) == []
