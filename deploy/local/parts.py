"""The parts of a local run: how each is started, and how one sees that it is ready."""

from __future__ import annotations

import socket
import struct
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import install, tools
from deploy.local.home import HOST, Home, write

SERVICES = ("clients", "onboarding", "notifier", "gateway")
SETTINGS = Path(__file__).parent / "kafka"
NOT_YET_INITIALIZED = 94  # MongoDB's code
LARGEST_MESSAGE = 2_621_440  # bytes: 2.5 MiB, so that a record of 2 MiB and its headers fit


@dataclass(frozen=True)
class Part:
    """One process of the run."""

    name: str
    command: tuple[str, ...]
    listens: tuple[int, ...]
    ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)


def kafka(home: Home, ports: Mapping[str, int]) -> Part:
    """Return the broker: KRaft, one node, settings that suit a single machine."""
    java = (str(tools.java()), "-cp", f"{install.JARS}/*")
    logging = f"-Dlog4j2.configurationFile={SETTINGS / 'log4j2.properties'}"
    properties = kafka_properties(home)
    template = (SETTINGS / "server.properties").read_text()
    broker, controller = ports["kafka"], ports["controller"]
    write(
        properties,
        template.format(
            host=HOST, broker=broker, controller=controller, data=home.data / "kafka", largest_message=LARGEST_MESSAGE
        ),
    )
    return Part(
        "kafka",
        (java[0], "-Xmx512m", logging, *java[1:], "kafka.Kafka", str(properties)),
        (broker, controller),
        lambda: broker_answers(HOST, broker),
    )


def kafka_properties(home: Home) -> Path:
    """Return where the broker's settings are written."""
    return home.run / "kafka.properties"


def mongo(home: Home, ports: Mapping[str, int]) -> Part:
    """Return the database: a replica set of one, as transactions need."""
    data, port = home.data / "mongo", ports["mongo"]
    data.mkdir(exist_ok=True)
    command = (
        *(str(tools.mongod()), "--dbpath", str(data), "--port", str(port), "--bind_ip", HOST),
        *("--replSet", "portal", "--wiredTigerCacheSizeGB", "1", "--nounixsocket"),
        # Who is killed inside a transaction leaves its locks for this long.
        *("--setParameter", "transactionLifetimeLimitSeconds=5"),
        # Nobody reads the past; kept, it makes rows that change often dearer with every change.
        *("--setParameter", "minSnapshotHistoryWindowInSeconds=0"),
        # There is no other node to hand over to.
        *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    )
    return Part("mongo", command, (port,), lambda: _is_primary(port))


def mail(home: Home, ports: Mapping[str, int]) -> Part:
    """Return the mail catcher: it takes every mail and shows it on a page."""
    smtp, web = ports["smtp"], ports["mail"]
    command = (
        *(str(tools.node()), str(tools.maildev()), "--ip", HOST, "--web-ip", HOST, "--smtp", str(smtp), "--web", str(web)),
        *("--mail-directory", str(home.data / "mail"), "--silent"),
    )
    return Part("mail", command, (smtp, web), lambda: smtp_greets(HOST, smtp) and page_answers(f"http://{HOST}:{web}/"))


def service(name: str, ports: Mapping[str, int]) -> Part:
    """Return one of the four services, as it is shipped."""
    port = ports[name]
    ready = f"http://{HOST}:{port}/health/ready"
    command = (sys.executable, "-m", f"services.{name}")
    environment = {"PORT": str(port), "MALLOC_ARENA_MAX": "2"}  # the driver's threads would keep an arena each: 10 MB
    return Part(name, command, (port,), lambda: page_answers(ready), environment)


def broker_answers(host: str, port: int) -> bool:
    """Tell whether a broker at *host*, *port* is up and in service: it names itself when asked for the cluster's brokers."""
    asked = struct.pack(">hhihi", 3, 1, 1, -1, 0)  # Metadata, version 1, no client id, no topics
    try:
        with socket.create_connection((host, port), timeout=2) as connection, connection.makefile("rb") as answer:
            connection.sendall(struct.pack(">i", len(asked)) + asked)
            head = answer.read(12)  # length, correlation id, number of brokers
    except OSError:
        return False
    return len(head) == 12 and int(struct.unpack(">iii", head)[2]) > 0


def smtp_greets(host: str, port: int) -> bool:
    """Tell whether a mail server at *host*, *port* says that it is ready."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            greeting = connection.recv(3)
            connection.sendall(b"QUIT\r\n")
            return greeting == b"220"
    except OSError:
        return False


def page_answers(url: str) -> bool:
    """Tell whether *url* answers 200."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def database_answers(url: str) -> bool:
    """Tell whether the database at *url* has a primary."""
    try:
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=2000) as client:
            return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False


def _is_primary(port: int) -> bool:
    """Tell whether the node serves; make it a replica set of one first, or give it its address of today."""
    own = f"{HOST}:{port}"
    try:
        with MongoClient[dict[str, object]](own, directConnection=True, serverSelectionTimeoutMS=1000) as client:
            if client.admin.command("hello").get("isWritablePrimary"):
                return True
            members = [{"_id": 0, "host": own}]
            try:
                config = client.admin.command("replSetGetConfig")["config"]
            except OperationFailure as failure:
                if failure.code == NOT_YET_INITIALIZED:
                    client.admin.command("replSetInitiate", {"_id": "portal", "members": members})
                return False
            if config["members"][0]["host"] != own:
                moved = {**config, "version": config["version"] + 1, "members": members}
                client.admin.command("replSetReconfig", moved, force=True)
    except PyMongoError:
        return False
    return False
