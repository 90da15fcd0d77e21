"""What SREs see: metrics by the contract's names, JSON logs with a trace id, and trace contexts that travel."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# Beside each of ours, the library would show a series that says when it began: twice as many, under names nobody was told.
disable_created_metrics()  # type: ignore[no-untyped-call]

LAG = Gauge("portal_consumer_lag_records", "Records behind the head of a partition.", ["service", "topic", "partition"])
HANDLED = Counter("portal_records_handled_total", "Records by what became of them.", ["service", "topic", "outcome"])
HANDLING = Histogram("portal_handling_seconds", "Time of one batch's transaction.", ["service", "topic"], buckets=_BUCKETS)
FRESHNESS = Histogram(
    "portal_freshness_seconds", "From a fact's time to its being visible.", ["service", "topic"], buckets=_BUCKETS
)
OUTBOX = Gauge("portal_outbox_rows", "Rows that wait to be published.", ["service"])
DEAD = Counter("portal_dead_letters_total", "Records set aside.", ["topic", "reason"])
LOST = Counter("portal_records_lost_total", "Records that retention took before they were read.", ["service", "topic"])
COMMANDS = Counter("portal_commands_total", "Commands by outcome.", ["command", "outcome"])
DIGESTS = Counter("portal_digests_total", "Digests by what became of them.", ["outcome"])
MAIL = Histogram("portal_mail_seconds", "Time of handing one mail to the mail server.", buckets=_BUCKETS)
REQUESTS = Counter("portal_http_requests_total", "HTTP requests.", ["route", "method", "status"])
REQUEST = Histogram("portal_http_request_seconds", "Time of HTTP requests.", ["route", "method"], buckets=_BUCKETS)

trace: ContextVar[str | None] = ContextVar("trace", default=None)
"""The W3C traceparent of what is being done here."""


def new_trace() -> str:
    """Return the traceparent of a new trace, sampled."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"


def continued(traceparent: str | None) -> str:
    """Return a traceparent for work caused by *traceparent*: the same trace, a span of its own; a new trace if it is none."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    if match is None or set(match[1]) == {"0"} or set(match[2]) == {"0"}:
        return new_trace()
    return f"00-{match[1]}-{os.urandom(8).hex()}-{match[3]}"


def trace_id(traceparent: str | None) -> str | None:
    """Return the trace id within *traceparent*, or None."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, service, event, trace_id, and the fields given as ``extra={'fields': …}``."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as one line of JSON."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "event": record.getMessage(),
            "trace_id": trace_id(trace.get()),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class Log:
    """A logger whose events are constants and whose data are fields."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: str, **fields: Any) -> None:
        """Note something worth knowing."""
        self._logger.info(event, extra={"fields": fields})

    def warning(self, event: str, **fields: Any) -> None:
        """Note something that is not as it should be and is being dealt with."""
        self._logger.warning(event, extra={"fields": fields})

    def error(self, event: str, error: BaseException, **fields: Any) -> None:
        """Note a fault of ours, with where it came from."""
        self._logger.error(event, exc_info=error, extra={"fields": fields})


def log_as(service: str) -> None:
    """Let this process log JSON lines to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("aiokafka", "faststream", "uvicorn.access", "aiokafka.consumer.group_coordinator"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
