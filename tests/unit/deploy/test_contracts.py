"""The published descriptions agree with the code."""

from __future__ import annotations

import pytest

from deploy.contracts import FOLDER, asyncapi, described
from shared.contracts.topics import TOPICS


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json", "onboarding.md"])
def test_a_description_is_what_the_code_says(name: str) -> None:
    """`make contracts` writes them; a change of the contract is seen in the diff of a review."""
    assert (FOLDER / name).read_bytes() == described()[name] + b"\n"


def test_every_topic_is_described_with_every_message_it_carries() -> None:
    """AsyncAPI 3: channels, messages and the schemas they refer to."""
    document = asyncapi()
    assert set(document["channels"]) == {topic.name for topic in TOPICS}
    schemas = document["components"]["schemas"]
    for message in document["components"]["messages"].values():
        assert message["payload"]["$ref"].rsplit("/", 1)[1] in schemas
