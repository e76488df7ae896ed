"""`manage.py monitoring_token`: make, list and revoke bearer tokens of the API."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from monitoring.api import tokens
from monitoring.models import ApiToken


class Command(BaseCommand):
    help = "Make, list and revoke bearer tokens of the API and the metrics. A new token is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        create = commands.add_parser("create", help="make a token and print it")
        create.add_argument("name", help="of the program that uses it")
        create.add_argument("--user", required=True, help="whose permissions it has, at most")
        create.add_argument(
            "--scope",
            action="append",
            required=True,
            metavar="PERMISSION",
            help="view_task, revoke_task ...; may be given several times",
        )
        create.add_argument("--days", type=int, help="after which it expires; without, it does not")
        listing = commands.add_parser("list", help="list all tokens, never the tokens themselves")
        listing.add_argument("--user", help="only of this user")
        revoke = commands.add_parser("revoke", help="refuse a token from now on")
        revoke.add_argument("prefix", help="how the token begins: mon_ and eight characters")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["command"]:
            case "create":
                self._create(options["name"], options["user"], options["scope"], options["days"])
            case "list":
                self._list(options["user"])
            case "revoke":
                self._revoke(options["prefix"])

    def _create(self, name: str, username: str, scopes: list[str], days: int | None) -> None:
        user = self._user(username)
        if days is not None and not 0 < days <= 36_500:
            raise CommandError("--days is between 1 and 36500.")
        expires_at = timezone.now() + timedelta(days=days) if days is not None else None
        try:
            token, text = tokens.create(user, name[:100], scopes, expires_at)
        except tokens.InvalidScopes as mistake:
            raise CommandError(f"{mistake}. There are: {', '.join(tokens.known_scopes())}") from mistake
        missing = [scope for scope in token.scopes if not user.has_perm(scope)]
        if missing:
            self.stderr.write(
                self.style.WARNING(
                    f"{username} has no {', '.join(missing)}: the token can do nothing with it."
                )
            )
        self.stderr.write("This is the only time that the token is shown:")
        self.stdout.write(text)

    def _list(self, username: str | None) -> None:
        found = ApiToken.objects.select_related("user")
        if username is not None:
            found = found.filter(user=self._user(username))
        for token in found:
            ending = "revoked" if token.revoked_at else "expired" if token.has_ended() else "valid"
            used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
            scopes = ",".join(token.scopes)
            self.stdout.write(
                f"{token.prefix}\t{ending}\t{token.user.get_username()}\t{token.name}\tlast used {used}\t{scopes}"
            )

    def _revoke(self, prefix: str) -> None:
        token = ApiToken.objects.filter(prefix=prefix).first()
        if token is None:
            raise CommandError(f"There is no token {prefix}.")
        tokens.revoke(token)
        self.stdout.write(f"{token} is revoked.")

    def _user(self, username: str) -> Any:
        model = get_user_model()
        try:
            return model._default_manager.get_by_natural_key(username)
        except model.DoesNotExist as missing:
            raise CommandError(f"There is no user {username}.") from missing
