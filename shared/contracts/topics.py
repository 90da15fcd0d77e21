"""Every topic of the system, with partitions, clean-up and size: the one definition that provisioning and start-up use."""

from __future__ import annotations

from shared.contracts import clients, notifier, onboarding, pleo, portal
from shared.contracts.base import DAY, Topic

DEAD_RETENTION = 14 * DAY  # E5
DEAD_PARTITIONS = 1
DEAD_MAX_BYTES = 2 * 1024 * 1024  # the record whole, and why it is there (E4)

TOPICS: tuple[Topic, ...] = (*pleo.TOPICS, *portal.TOPICS, *clients.TOPICS, *onboarding.TOPICS, *notifier.TOPICS)


def dead_topic(topic: Topic) -> Topic:
    """Return the topic on which records of *topic* are set aside."""
    return Topic(
        name=topic.dead_name,
        partitions=DEAD_PARTITIONS,
        retention=DEAD_RETENTION,
        max_message_bytes=DEAD_MAX_BYTES,
        dead=False,
    )


ALL: tuple[Topic, ...] = (*TOPICS, *(dead_topic(topic) for topic in TOPICS if topic.dead))
