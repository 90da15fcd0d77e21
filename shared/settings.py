"""Settings of every service, from the environment, else from what the local run wrote down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def home() -> Path:
    """Return the folder of the local run, which holds ``portal.env``."""
    return Path(os.environ.get("PORTAL_HOME", ".local"))


class Settings(BaseSettings):
    """What a process must know to run; names are the environment's, in lower case."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    mongodb_url: str = "mongodb://127.0.0.1:27017/?replicaSet=portal"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 1025
    host: str = "127.0.0.1"
    port: int = 8080
    portal_url: str = "http://127.0.0.1:8080"
    product_url: str = "http://127.0.0.1:8080/dev/product"
    clients_url: str = "http://127.0.0.1:8081"
    onboarding_url: str = "http://127.0.0.1:8082"
    notifier_url: str = "http://127.0.0.1:8083"
    jwks_url: str = "http://127.0.0.1:8080/dev/jwks.json"
    portal_issuer: str = "http://127.0.0.1:8080"
    portal_audience: str = "partner-portal"
    portal_dev_login: bool = False
    portal_dev_key_file: Path = Path(".local/dev-key.json")
    portal_secret: str = Field(min_length=16)
    portal_door_key: str = Field(min_length=16)
    portal_mail_policy: Literal["resend", "hold"] = "resend"  # what becomes of a mail that may have been taken (N12)
    portal_mail_from: str = "Pleo Partnerportal <partner@pleo.example>"
    portal_requests_per_second: int = 50
    portal_streams_per_member: int = 5
    portal_stream_comment_seconds: float = 15.0
    portal_body_bytes: int = 65_536
    portal_page: Path | None = None  # the folder of the built page, if it does not lie beside the gateway's code
    portal_invitations_per_day: int = 200
    portal_resends_per_invitation: int = 5
    portal_resends_apart_seconds: float = 300.0
    portal_schedule_seconds: float = 5.0
    portal_database_prefix: str = "portal"


def load() -> Settings:
    """Return the settings of this process; raises ValidationError with the name of what is missing."""
    return Settings(_env_file=home() / "portal.env")
