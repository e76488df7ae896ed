"""docker-compose.yml as docker compose reads it, as far as running its commands without a Docker engine needs."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::[-?](?P<other>[^}]*))?\}")

Service = dict[str, Any]


def services(environment: Mapping[str, str]) -> dict[str, Service]:
    """Every service with its variables filled in from `environment`."""
    text = (CHECKOUT / "docker-compose.yml").read_text()
    found: dict[str, Service] = yaml.safe_load(filled(text, environment))["services"]
    return found


def application_services(environment: Mapping[str, str]) -> dict[str, Service]:
    """The services that run from the project's own image."""
    return {name: service for name, service in services(environment).items() if "build" in service}


def variables() -> set[str]:
    """The names that docker-compose.yml wants to have from .env."""
    return {match["name"] for match in VARIABLE.finditer((CHECKOUT / "docker-compose.yml").read_text())}


def example_environment() -> dict[str, str]:
    """.env.example, a later line seeing the earlier ones."""
    environment: dict[str, str] = {}
    for line in (CHECKOUT / ".env.example").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            environment[name] = filled(value, environment)
    return environment


def filled(text: str, environment: Mapping[str, str]) -> str:
    """`text` with ${NAME} and ${NAME:-default} replaced; an empty value is none, as in compose."""
    return VARIABLE.sub(lambda match: environment.get(match["name"]) or match["other"] or "", text)
