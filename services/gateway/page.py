"""The built page at the gateway's root: kept in memory, compressed beforehand, and allowed to ask nobody else (W3)."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.telemetry import Log

BUILT = Path(__file__).parent / "portal" / "dist"
FOR_EVER = "public, max-age=31536000, immutable"  # a file under assets/ has the digest of its content in its name
ASK_AGAIN = "no-cache"
MEDIA: Mapping[str, str] = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
COMPRESSED: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
LIBRARY_STYLES = (  # what React Aria puts into the head: for presses everywhere, for scrolling behind dialogs on iOS
    "@layer {\n  [data-react-aria-pressable] {\n    touch-action: pan-x pan-y pinch-zoom;\n  }\n}",
    "@layer {\n  * {\n    overscroll-behavior: contain;\n  }\n}",
)
_HASHES = " ".join(f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" for style in LIBRARY_STYLES)
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {_HASHES}",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
log = Log("page")


@dataclass(frozen=True, slots=True)
class File:
    """One file of the built page: its bytes by encoding (``""`` is plain), and how it is answered."""

    bodies: Mapping[str, bytes]
    media: str
    etag: str
    headers: Mapping[str, str]

    def answer(self, request: Request) -> Response:
        """Return the file in the best encoding the caller takes, or 304 if they have it."""
        headers = {**self.headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if self.etag in (tag.strip() for tag in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        encoding = _encoding(request.headers.get("accept-encoding", ""), self.bodies)
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(self.bodies[encoding], headers=headers, media_type=self.media)


def routes(built: Path) -> list[Route]:
    """Return a route per file of the page in *built*, ``/`` for its document; none while nobody has built it."""
    if not (built / "index.html").is_file():
        log.warning("page_not_built", folder=built.name)
        return []
    found = [path for path in sorted(built.rglob("*")) if path.suffix in MEDIA]
    return [_route(path, path.relative_to(built).as_posix()) for path in found]


def _route(path: Path, name: str) -> Route:
    file = _read(path, name)

    async def serve(request: Request) -> Response:
        return file.answer(request)

    return Route("/" if name == "index.html" else f"/{name}", serve, methods=["GET"])


def _read(path: Path, name: str) -> File:
    plain = path.read_bytes()
    beside = {encoding: path.with_name(path.name + ending) for encoding, ending in COMPRESSED.items()}
    bodies = {encoding: other.read_bytes() for encoding, other in beside.items() if other.is_file()}
    headers = {
        "Cache-Control": FOR_EVER if name.startswith("assets/") else ASK_AGAIN,
        "X-Content-Type-Options": "nosniff",
    }
    if name == "index.html":
        headers |= {
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
        }
    return File({**bodies, "": plain}, MEDIA[path.suffix], f'"{hashlib.sha256(plain).hexdigest()[:32]}"', headers)


def _encoding(accepted: str, bodies: Mapping[str, bytes]) -> str:
    """Return the first of our encodings that *accepted* names without refusing it (``;q=0``); plain if none."""
    taken = {}
    for offer in accepted.lower().split(","):
        name, _, weight = offer.partition(";")
        taken[name.strip()] = not REFUSED.fullmatch(weight)
    return next((encoding for encoding in COMPRESSED if encoding in bodies and taken.get(encoding)), "")
