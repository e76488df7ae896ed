"""API tokens: one's own, or with ``manage_apitoken`` everybody's; made for oneself, shown once, revoked.

| name | method | takes | answers |
|---|---|---|---|
| ``monitoring_apitoken_changelist`` | GET | | the page |
| ``monitoring_apitoken_make`` | POST | ``name``, ``scopes`` (several), ``days`` (empty: never expires) | the page with the new token, which is shown this one time; the page with what is wrong |
| ``monitoring_apitoken_revoke`` (id) | POST | | redirect to the page |

Making needs ``add_apitoken``, and its scopes are of the user's own permissions. Both are in Django's admin log, and in the
audit log, with the tries that were refused.
"""  # noqa: E501

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from ..api import audited_tokens, tokens
from ..control.actor import Actor
from ..control.perform import missing_permission
from ..models import ApiToken
from ..queries.api_tokens import api_token, api_tokens
from .base import MonitoringAdmin
from .methods import acting_view, no_staff_words, post_only

VIEW, MAKE, MANAGE = (
    "monitoring.view_apitoken",
    "monitoring.add_apitoken",
    "monitoring.manage_apitoken",
)


class TokenForm(forms.Form):
    """What a new token is to be; its scopes are what its user may do."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Of the program that uses it."))
    days = forms.TypedChoiceField(
        label=_("Expires"),
        choices=[
            ("30", _("in 30 days")),
            ("90", _("in 90 days")),
            ("365", _("in a year")),
            ("", _("never")),
        ],
        coerce=int,
        empty_value=None,
        required=False,
        initial="90",
    )
    scopes = forms.MultipleChoiceField(label=_("May"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, user: Any, data: Any = None) -> None:
        super().__init__(data, auto_id="mon-token-%s")
        field: Any = self.fields["scopes"]
        field.choices = [
            (scope, words) for scope, words in tokens.scope_words().items() if user.has_perm(scope)
        ]
        for name in ("name", "days"):
            self.fields[name].widget.attrs["class"] = "mon-input"


@admin.register(ApiToken)
class ApiTokenAdmin(MonitoringAdmin):
    object_pages = False

    def get_urls(self) -> list[URLPattern]:
        make = acting_view(self.admin_site, post_only(self.make), self._refuse_making)
        revoke = acting_view(self.admin_site, post_only(self.revoke), self._refuse_revoking)
        return [
            path("_make/", make, name="monitoring_apitoken_make"),
            path("_revoke/<int:key>/", revoke, name="monitoring_apitoken_revoke"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._page(request, TokenForm(request.user) if request.user.has_perm(MAKE) else None)

    def make(self, request: HttpRequest) -> HttpResponse:
        missing = [] if self.has_view_permission(request) else [VIEW]
        missing += [] if request.user.has_perm(MAKE) else [MAKE]
        if missing:
            words = missing_permission(missing[0])
            self._refuse_making(request, words)
            raise PermissionDenied(words)
        form = TokenForm(request.user, request.POST)
        if not form.is_valid():
            lacking = sorted(set(request.POST.getlist("scopes")) & set(tokens.known_scopes()))
            lacking = [scope for scope in lacking if not request.user.has_perm(scope)]
            if lacking:
                self._refuse_making(request, missing_permission(lacking[0]))
            return self._page(request, form)
        wanted = form.cleaned_data
        expires_at = timezone.now() + timedelta(days=wanted["days"]) if wanted["days"] else None
        name = wanted["name"].replace("\0", "")
        token, text = audited_tokens.make(Actor.of(request), name, wanted["scopes"], expires_at)
        self.log_addition(request, token, _now("Made, for: %(scopes)s") % {"scopes": ", ".join(token.scopes)})
        return self._page(request, TokenForm(request.user), made=text)

    def revoke(self, request: HttpRequest, key: int) -> HttpResponse:
        if not self.has_view_permission(request):
            words = missing_permission(VIEW)
            self._refuse_revoking(request, key, words)
            raise PermissionDenied(words)
        token = api_token(request.user, key, of_everybody=request.user.has_perm(MANAGE))
        if token is None:
            if api_token(request.user, key, of_everybody=True) is not None:
                self._refuse_revoking(request, key, missing_permission(MANAGE))
            raise Http404
        audited_tokens.revoke(Actor.of(request), token)
        self.log_change(request, token, _now("Revoked"))
        messages.success(request, _now("%(token)s is revoked") % {"token": token})
        return redirect("admin:monitoring_apitoken_changelist")

    def _refuse_making(self, request: HttpRequest, words: str = "") -> None:
        actor, name = Actor.of(request), request.POST.get("name", "")[:100]
        target = audited_tokens.target_of(name, actor.user_name) if name else ""
        audited_tokens.refused(actor, audited_tokens.MAKE, words or no_staff_words(), target)

    def _refuse_revoking(self, request: HttpRequest, key: int, words: str = "") -> None:
        """With the number of the token: whose it is, and its name, is not for who may not see it."""
        audited_tokens.refused(Actor.of(request), audited_tokens.REVOKE, words or no_staff_words(), str(key))

    def _page(self, request: HttpRequest, form: TokenForm | None, made: str = "") -> HttpResponse:
        of_everybody, now = request.user.has_perm(MANAGE), timezone.now()
        words = tokens.scope_words()
        response = self.page(
            request,
            "api_tokens.html",
            _now("API tokens"),
            rows=[
                (token, token.has_ended(now), [(scope, words.get(scope, scope)) for scope in token.scopes])
                for token in api_tokens(request.user, of_everybody=of_everybody)
            ],
            of_everybody=of_everybody,
            form=form,
            made=made,
        )
        if made:
            response["Cache-Control"] = "no-store"
        return response
