"""The page as it is built: typed by the contract, small, and asking nobody else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.browser.walk import People, Walk
from tests.e2e.portal import Firm

PORTAL = Path(__file__).parents[2] / "services" / "gateway" / "portal"
MOST_SCRIPT = 160_000
MOST_AT_FIRST = 110_000


def _npm(*words: str) -> str:
    ours = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["npm", "run", "--silent", *words], cwd=PORTAL, env=ours, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_types_are_those_of_the_published_contract() -> None:
    """``npm run types`` writes them; a change of the contract that the page does not know fails here."""
    assert _npm("described").strip() == (PORTAL / "src" / "api" / "schema.d.ts").read_text().strip()


def test_the_page_is_typed_and_its_pure_functions_hold() -> None:
    """Strict TypeScript without a complaint, and ``node --test``."""
    _npm("check")
    _npm("test")


def test_all_script_is_small() -> None:
    """At most 160 kB gzip, every chunk counted."""
    sizes = {path.name: path.stat().st_size for path in (PORTAL / "dist" / "assets").glob("*.js.gz")}
    assert 0 < sum(sizes.values()) <= MOST_SCRIPT, sizes


def test_the_first_rows_need_two_thirds_of_it() -> None:
    """What the document names is there before the first rows; menus, dialogs and details come after them."""
    built = PORTAL / "dist"
    named = re.findall(r'"/(assets/[^"]+\.js)"', (built / "index.html").read_text())
    sizes = {name: (built / f"{name}.gz").stat().st_size for name in named}
    assert 0 < sum(sizes.values()) <= MOST_AT_FIRST, sizes


async def test_what_opens_later_is_fetched_before_anybody_asks(leyla: Walk) -> None:
    """The first rows need three reads; the code of what opens comes after them, by itself."""
    asked: list[str] = []
    leyla.page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    async with leyla.page.expect_request(re.compile("/assets/parts-")):
        await leyla.page.reload()
    # What is counted begins with the new page's own script: until then the page that is left may ask for something, too.
    begun, before = (next(at for at, p in enumerate(asked) if p.startswith(f"/assets/{name}-")) for name in ("main", "parts"))
    reads = [path for path in asked[begun:before] if path.startswith("/v1/")]
    assert sorted(reads[:3]) == ["/v1/clients", "/v1/me", "/v1/tabs"]


async def test_a_second_visit_asks_for_no_script_again(firm: Firm, people: People) -> None:
    """Only for the document and the data: what has its digest in its name is kept."""
    walk = await people.enter(firm.leyla)
    await walk.told("Ihnen ist noch kein Mandant zugewiesen")
    await walk.page.reload()
    await walk.told("Ihnen ist noch kein Mandant zugewiesen")
    entries = "performance.getEntriesByType('resource').filter((one) => /assets.*(js|css)$/.test(one.name))"
    sizes = await walk.page.evaluate(f"{entries}.map((one) => one.transferSize)")
    assert sizes
    assert all(size == 0 for size in sizes), sizes
