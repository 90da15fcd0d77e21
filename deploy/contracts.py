"""Writes descriptions from the code: the public contract, the states of an onboarding: ``make contracts``; tests compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
from pydantic.json_schema import models_json_schema

from services.gateway.openapi import document as openapi
from services.gateway.routes import TABLE
from services.onboarding.domain.verification import diagram
from shared.contracts.base import Message, Topic
from shared.contracts.topics import TOPICS

FOLDER = Path(__file__).parent / "published"
ONBOARDING = """# The states of an onboarding

Drawn from `TABLE` in `services/onboarding/domain/verification.py` by `make contracts`. The state is a function of the set of
facts: if final ones are among them, the one with the lowest sequence, else the fact with the highest.

```mermaid
{diagram}```"""


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3 description of every topic, from the models that read and write it."""
    models = {model for topic in TOPICS for model in topic.carries}
    ordered = sorted(models, key=lambda model: model.ce_type)
    _, schemas = models_json_schema([(m, "serialization") for m in ordered], ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Partner portal", "version": "1.0.0", "description": "CloudEvents 1.0 on Kafka, binary mode."},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "components": {"messages": {m.ce_type: _message(m) for m in ordered}, "schemas": schemas.get("$defs", {})},
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "messages": {m.ce_type: {"$ref": f"#/components/messages/{m.ce_type}"} for m in topic.carries},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": [topic.cleanup.value], "max.message.bytes": topic.max_message_bytes},
            }
        },
    }


def _message(model: type[Message]) -> dict[str, Any]:
    return {
        "name": model.ce_type,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "headers": {"type": "object", "properties": {"ce_type": {"const": model.ce_type}}, "required": ["ce_type"]},
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
    }


def described() -> dict[str, bytes]:
    """Return each description by its file name, as it is written."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    return {
        "openapi.json": orjson.dumps(openapi(TABLE), option=options),
        "asyncapi.json": orjson.dumps(asyncapi(), option=options),
        "onboarding.md": ONBOARDING.format(diagram=diagram()).encode(),
    }


def main() -> int:
    """Write every description."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in described().items():
        (FOLDER / name).write_bytes(text + b"\n")
    print(f"wrote {', '.join(described())} into {FOLDER.name}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
