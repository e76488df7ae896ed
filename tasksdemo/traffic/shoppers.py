"""Made-up customers and orders."""

import random
from typing import Any

NAMES = (
    "ada",
    "björn",
    "chloé",
    "daisuke",
    "émile",
    "fátima",
    "grace",
    "håkon",
    "ines",
    "józef",
    "lwazi",
    "marta",
)
COUNTRIES = (("DE", "10115"), ("FR", "69001"), ("SE", "111 20"), ("PL", "00-001"), ("PT", "1100-148"))


def order_id(rng: random.Random) -> int:
    return rng.randrange(48_000, 60_000)


def amount(rng: random.Random) -> str:
    return f"{rng.randrange(900, 25_000) / 100:.2f}"


def email(rng: random.Random) -> str:
    return f"{rng.choice(NAMES)}{rng.randrange(100)}@mail.example"


def customer(rng: random.Random) -> dict[str, Any]:
    """{"id", "email", "address": {"country", "postal_code"}}; one address in a hundred has no postal code."""
    country, postal_code = rng.choice(COUNTRIES)
    address = {"country": country}
    if rng.random() >= 0.01:
        address["postal_code"] = postal_code
    return {"id": rng.randrange(90_000, 99_999), "email": email(rng), "address": address}
