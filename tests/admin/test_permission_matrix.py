"""Every address, verb and socket for everybody: who gets what, who is refused, and what the audit log has of it.

Rows come from the URL resolver, from the table of verbs and from the pages that a socket serves, columns from
tests/people.py. A page of a model, and what stands outside of the admin, joins by itself; any other address of the
admin needs a rule in :data:`RULES` before this passes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from monitoring.admin.control_actions import page_of
from monitoring.celery_app import watched_app
from monitoring.control import audit
from monitoring.control.actor import Actor
from monitoring.control.contract import Outcome, Result, Verb
from monitoring.control.task_verbs.task_names import names
from monitoring.control.verbs import VERBS
from monitoring.live.audience import PAGES
from monitoring.models import AuditEntry, BulkRun, SavedView, Task
from monitoring.models.audit_entry import Ending
from monitoring.queries.failures import end_of_counts
from monitoring.queries.visibility import Visibility
from monitoring.routing import websocket_urlpatterns
from tests.addresses import Address, addresses
from tests.control.test_verbs import FIT
from tests.factories import make_dead_letter, make_event, make_gap, make_queue, make_task, make_worker
from tests.live.conftest import PATIENCE
from tests.live.sockets import Page, cookie_of, on_database
from tests.people import (
    ANONYMOUS,
    INSIDE,
    LIMITED,
    NO_PAYLOAD,
    OPERATOR,
    PEOPLE,
    PLAIN,
    STAFF,
    SUPERUSER,
    VIEWER,
    make_person,
    may,
)
from tests.queries.counted_failures import count_all
from tests.services.found import free_port

#: What nobody of limited visibility may be shown anywhere, and nobody without `view_payload`.
HIDDEN, SECRET = "HIDDEN", "SECRET"
SEEN = "seen/1"
WORKER, OWN_WORKER = "celery@w1", "celery@w2"
#: Of the queues that the limited one may see.
QUEUE = "mail"
#: Fingerprints of two groups of failures.
GROUP, HIDDEN_GROUP = "a" * 16, "b" * 16


@dataclass(frozen=True)
class Rule:
    """What an address needs, and what it answers to who has that: a status for GET, and for POST with `data`.

    `refused` is what it answers inside the admin to who has it not, `limited` to a user of limited visibility who has.
    `query` goes with GET.
    """

    needs: tuple[str, ...]
    get: int = 200
    post: int = 405
    refused: int = 403
    limited: int | None = None
    query: str = ""
    data: tuple[tuple[str, str], ...] = ()


def own(get: int, post: int, *data: tuple[str, str]) -> Rule:
    """An address below the task list for everybody who sees that."""
    return Rule(("view_task",), get, post, data=data)


#: By name: everything in the admin that is no list, no page of an object, and no redirect to one.
RULES = {
    "app_list": Rule(("view_task",), post=200, refused=404),
    "monitoring_apitoken_make": Rule(("view_apitoken", "add_apitoken"), get=405, post=200),
    "monitoring_apitoken_revoke": Rule(("view_apitoken",), get=405, post=404),
    "monitoring_auditentry_export": Rule(("view_auditentry",), post=405),
    "monitoring_auditentry_change": Rule(("view_auditentry",), post=200, limited=302),
    "monitoring_deadletter_changelist": Rule(("view_deadletter",), post=200, limited=403),
    "monitoring_gap_changelist": Rule(("view_gap",), post=200, limited=403),
    "monitoring_failures_changelist": Rule(("view_failures", "view_task"), post=200),
    "monitoring_failures_change": Rule(("view_failures", "view_task"), post=200),
    "monitoring_failures_control": Rule(
        ("view_failures", "view_task", "manage_alerts"),
        post=200,
        query=f"target={GROUP}",
        data=(("target", GROUP),),
    ),
    "monitoring_failures_control_result": Rule(
        ("view_failures", "view_task", "view_auditentry"), post=200, limited=404
    ),
    "monitoring_monitor_changelist": Rule(("view_monitor", "view_task"), post=200),
    "monitoring_monitor_peek": Rule(("view_monitor", "view_task"), post=404, query="task=seen/1"),
    "monitoring_schedule_control": Rule(
        ("view_schedule", "run_schedule"), post=200, query="target=nightly", data=(("target", "nightly"),)
    ),
    "monitoring_schedule_control_result": Rule(("view_schedule", "view_auditentry"), post=200, limited=404),
    "monitoring_queue_control": Rule(
        ("view_queue", "purge_queue"), post=200, query=f"target={QUEUE}", data=(("target", QUEUE),)
    ),
    "monitoring_queue_control_result": Rule(("view_queue", "view_auditentry"), post=200, limited=404),
    "monitoring_task_beside": own(302, 302),
    "monitoring_task_bulk": own(405, 400),
    "monitoring_task_bulk_run": own(200, 200),
    "monitoring_task_bulk_confirm": Rule(("view_task", "delete_task"), 405, 302),
    "monitoring_task_bulk_advance": own(405, 302),
    "monitoring_task_bulk_stop": own(405, 302),
    "monitoring_task_bulk_results": own(200, 200),
    "monitoring_task_columns": own(405, 302),
    "monitoring_task_control": Rule(
        ("view_task", "delete_task"), post=200, query="target=seen/1", data=(("target", SEEN),)
    ),
    "monitoring_task_control_result": Rule(("view_task", "view_auditentry"), post=200, limited=404),
    "monitoring_task_export": own(200, 200, ("query", "q=state:FAILURE")),
    "monitoring_task_histogram": own(200, 405),
    "monitoring_task_raw": own(200, 200),
    "monitoring_task_start": Rule(("view_task", "run_task"), post=200),
    "monitoring_task_suggest": Rule(("view_task",), query="field=name"),
    "monitoring_task_views": own(200, 200),
    "monitoring_task_view_add": own(405, 302, ("name", "Mine too"), ("query", "")),
    "monitoring_task_view_default": own(405, 302, ("view", "")),
    "monitoring_task_view_delete": own(405, 302),
    "monitoring_task_view_save": own(405, 302, ("name", "Renamed")),
    "monitoring_worker_control": Rule(
        ("view_worker", "shutdown_worker"), post=200, query=f"target={WORKER}", data=(("target", WORKER),)
    ),
    "monitoring_worker_control_result": Rule(("view_worker", "view_auditentry"), post=200, limited=404),
    "monitoring_worker_refresh": Rule(("view_worker",), 405, 302),
}
#: Ends of what is open to everybody, and routes that are open to who has signed in: they tell them of themselves.
PUBLIC = ("healthz", "readyz", "healthcheck")
FOR_ANYBODY_SIGNED_IN = {"api/v1/", "api/v1/verbs/", "api/schema/", "api/docs/"}
#: Addresses that use a verb or export: each refused attempt of somebody who has signed in is in the audit log.
ACTING = {
    "monitoring_apitoken_make": "GET POST",
    "monitoring_apitoken_revoke": "GET POST",
    "monitoring_auditentry_export": "GET POST",
    "monitoring_failures_control": "GET POST",
    "monitoring_schedule_control": "GET POST",
    "monitoring_queue_control": "GET POST",
    "monitoring_task_bulk_confirm": "POST",
    "monitoring_task_control": "GET POST",
    "monitoring_task_export": "GET POST",
    "monitoring_worker_control": "GET POST",
}
#: Of those, where the log has also who may not use the admin: the others are pages of a question that one has asked.
ACTING_FOR_STRANGERS = set(ACTING) - {"monitoring_task_bulk_confirm"}


def rule_of(address: Address) -> Rule | None:
    """None: there is none, and only that it is closed is known."""
    if address.name in RULES:
        return RULES[address.name]
    view = (f"view_{address.model}",)
    if address.name in (f"monitoring_{address.model}_changelist", f"monitoring_{address.model}_change"):
        return Rule(view, post=200)
    if not address.name and address.route == f"admin/monitoring/{address.model}/<str:object_id>/":
        return Rule((), 302, 302)  # to the page of the object, which refuses
    return None


def test_every_address_of_the_admin_has_a_rule() -> None:
    """Fails for an address that was added: say in RULES what it needs and answers."""
    ours = [address for address in addresses() if address.route.startswith("admin/")]
    assert [address for address in ours if rule_of(address) is None] == []
    assert {address.name for address in ours} >= set(RULES), "rules of what is no longer there"
    assert set(ACTING) <= set(RULES)


@pytest.fixture
def _limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the people is limited to two queues; nobody listens at the broker's address; streams end at once."""
    monkeypatch.setattr("monitoring.api.v1.changes._end", lambda seconds: 0.0)
    monkeypatch.setitem(watched_app().conf, "broker_write_url", f"redis://127.0.0.1:{free_port()}/0")
    settings.MONITORING = {
        **settings.MONITORING,
        "VISIBILITY": "tests.people.visibility_of_person",
        "CONTROL_TIMEOUT": 0.2,
    }


class World:
    """What there is to see, with its markers, and one of the people before it."""

    def __init__(self, person: str) -> None:
        self.person, self.user = person, make_person(person)
        texts = ("args", "kwargs", "result", "exception", "traceback")
        ended = end_of_counts(timezone.now()) - timedelta(minutes=1)
        for key, name, queue, marker, group in (
            (SEEN, "shop.send", "mail", "", GROUP),
            (f"{HIDDEN}/1", HIDDEN, HIDDEN, HIDDEN, HIDDEN_GROUP),
        ):
            payload = dict.fromkeys(texts, f"'{SECRET} {marker}'")
            task = make_task(
                key,
                name=name,
                queue=queue,
                state="FAILURE",
                exception_type=f"OSError{marker}",
                fingerprint=group,
                finished_at=ended,
                **payload,
            )
            make_event(task, "task-failed", 1, exception=f"OSError('{SECRET}')", traceback=SECRET)
        count_all()
        make_worker(WORKER, queues=["mail", HIDDEN])
        make_worker(OWN_WORKER, queues=["mail"])
        make_queue(QUEUE, ready=3, workers=[WORKER])
        make_queue(HIDDEN, ready=3, last_worker=HIDDEN)
        make_dead_letter(reason=HIDDEN)
        make_gap(reason=HIDDEN)
        every = IntervalSchedule.objects.create(every=60, period="seconds")
        PeriodicTask.objects.create(name="nightly", task="shop.send", queue="mail", interval=every)
        PeriodicTask.objects.create(name=f"{HIDDEN} one", task=HIDDEN, queue=HIDDEN, interval=every)
        somebody = Actor(User.objects.create_user("somebody"))
        self.entry = audit.begin(somebody, "delete", "task", [f"{HIDDEN}/1"], reason=HIDDEN)
        if self.user is not None:
            self.view = SavedView.objects.create(owner=self.user, name="Mine", query="")
            self.run = BulkRun.objects.create(
                user_id=str(self.user.pk), verb="delete", asked_at=timezone.now(), task_ids=[SEEN]
            )

    def sample(self, address: Address, converter: str, argument: str) -> str:
        """An argument of an address, for which there is something."""
        known: dict[tuple[str, str], Any] = {
            ("task", "object_id"): "seen_2F1",
            ("worker", "object_id"): WORKER,
            ("queue", "object_id"): QUEUE,
            ("failures", "object_id"): GROUP,
            ("auditentry", "object_id"): self.entry.pk,
        }
        if address.name.startswith("monitoring_task_bulk_"):
            return str(self.run.pk) if self.user is not None else str(uuid.uuid4())
        if address.name.startswith("monitoring_task_view_"):
            return str(self.view.pk) if self.user is not None else "1"
        if address.name.endswith("_control_result"):
            return str(self.entry.pk)
        if address.name.endswith("_control"):
            verbs = {
                "worker": "shutdown",
                "failures": "failure_acknowledge",
                "schedule": "schedule_run",
                "queue": "purge",
            }
            return verbs.get(address.model, "delete")
        by_kind = {"int": "1", "uuid": str(uuid.uuid4()), "slug": "x"}
        return str(known.get((address.model, argument), by_kind.get(converter, SEEN)))


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    text: str
    #: Endings of the audit entries that were written.
    audit: tuple[str, ...]
    who: tuple[str, ...]

    @property
    def is_login(self) -> bool:
        return self.status == 302 and self.location.startswith(reverse("admin:login"))


class Visitor:
    """A browser of one of the people. What it does to the database is taken back after each answer."""

    TOKEN = "t" * 32

    def __init__(self, user: User | None) -> None:
        self._client = Client(enforce_csrf_checks=True)
        if user is not None:
            self._client.force_login(user)

    def get(self, url: str, data: Any = None) -> Answer:
        with _taken_back():
            return self._answer(self._client.get(url, data))

    def post(self, url: str, data: Any = None, *, token: bool = True) -> Answer:
        with _taken_back():
            self._client.cookies["csrftoken"] = self.TOKEN
            more = {"X-CSRFToken": self.TOKEN} if token else {}
            return self._answer(self._client.post(url, data, headers=more))

    def _answer(self, response: Any) -> Answer:
        content = b"".join(response.streaming_content) if response.streaming else response.content
        entries = AuditEntry.objects.exclude(user_name="somebody").order_by("pk")
        return Answer(
            response.status_code,
            response.get("Location", ""),
            content.decode(),
            tuple(entry.ending for entry in entries),
            tuple(entry.user_name for entry in entries),
        )


@contextmanager
def _taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("person", PEOPLE)
def test_each_address_answers_each_person(person: str) -> None:
    world = World(person)
    visitor = Visitor(world.user)
    for address in addresses():
        rule, url = rule_of(address), address.url(world.sample)
        if rule is None:
            continue
        answers = {
            "GET": visitor.get(f"{url}?{rule.query}" if rule.query else url),
            "POST": visitor.post(url, dict(rule.data)),
        }
        allowed = may(person, *rule.needs)
        for method, answer in answers.items():
            row = (person, method, url)
            if person not in INSIDE:
                assert answer.is_login, row
                assert not answer.text, row
            else:
                assert answer.status == _expected(rule, method, person, allowed), (row, answer.text[:500])
                assert not answer.is_login, row
            said = answer.text + answer.location
            assert person != LIMITED or HIDDEN not in said, row
            assert person != NO_PAYLOAD or SECRET not in said, row
            assert answer.audit == _written(address, rule, method, person, allowed, answer), row
            assert set(answer.who) <= {person}, row
        careless = visitor.post(url, dict(rule.data), token=False)
        assert (careless.status, careless.audit) == (403, ()), (person, "POST without CSRF token", url)


def _expected(rule: Rule, method: str, person: str, allowed: bool) -> int:
    usual = rule.get if method == "GET" else rule.post
    if usual == 405:
        return 405
    if not allowed:
        return rule.refused
    return rule.limited if person == LIMITED and rule.limited is not None else usual


def _written(
    address: Address, rule: Rule, method: str, person: str, allowed: bool, answer: Answer
) -> tuple[str, ...]:
    """The endings of the audit entries of one request."""
    if method not in ACTING.get(address.name, "") or person == ANONYMOUS:
        return ()
    if person not in INSIDE:
        return (Ending.REFUSED,) if address.name in ACTING_FOR_STRANGERS else ()
    if answer.status == 405:
        return ()
    if not allowed:
        return (Ending.REFUSED,)
    # The page of a verb asks first, and there is neither a name for a token nor a token; an export and a confirmed run
    # have acted.
    return () if address.name.endswith("_control") or address.model == "apitoken" else (Ending.DONE,)


@pytest.mark.django_db
@pytest.mark.usefixtures("_limits")
def test_what_stands_outside_of_the_admin_is_closed() -> None:
    outside = [address for address in addresses() if not address.route.startswith("admin/")]
    public = {address.route for address in outside if address.route.strip("/").endswith(PUBLIC)}
    assert "healthz" in public
    for person in (ANONYMOUS, STAFF):
        world = World(person) if person == ANONYMOUS else None
        visitor = Visitor(make_person(person))
        for address in outside:
            url = address.url(world.sample if world else lambda *_: SEEN)
            for answer in (visitor.get(url), visitor.post(url)):
                assert answer.status < 500 or (address.route in public and answer.status == 503), url
                signed_in = person != ANONYMOUS and address.route in FOR_ANYBODY_SIGNED_IN
                if address.route not in public and not signed_in:
                    assert answer.status >= 300, (person, url)
                assert HIDDEN not in answer.text + answer.location, url
                assert SECRET not in answer.text + answer.location, url
    for person in (LIMITED, NO_PAYLOAD):
        visitor = Visitor(make_person(person))
        for address in outside:
            answer = visitor.get(address.url(lambda *_: SEEN))
            assert (HIDDEN if person == LIMITED else SECRET) not in answer.text + answer.location, address


@pytest.fixture
def acted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The targets of each use of a verb, in the place of their effect; nothing else of the verbs is changed."""
    calls: list[list[str]] = []

    def act(ids: Any, visibility: Visibility, parameters: Any) -> dict[str, Result]:
        calls.append(list(ids))
        return {target: Result(target, Outcome.DONE) for target in ids}

    for name, verb in list(VERBS.items()):
        fit = replace(verb, act=act, act_as=None, observe=None, why_not_so=_fits, confirm=None, chunk_so=None)
        if verb.target_kind != "worker":
            fit = replace(fit, why_not=_fits)
        monkeypatch.setitem(VERBS, name, fit)
    return calls


def _fits(target: Any, parameters: Any = None) -> str:
    return ""


@pytest.mark.django_db
@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("name", VERBS)
def test_each_verb_acts_for_who_may_and_the_others_are_written_down(
    name: str, acted: list[list[str]]
) -> None:
    verb, people = VERBS[name], list(PEOPLE)
    page = page_of(verb.target_kind)
    url = reverse(f"admin:monitoring_{page}_control", args=[name])
    for person in people:
        world = World(person) if person == people[0] else None
        visitor = Visitor(world.user if world else make_person(person))
        targets = _targets(verb)
        form = {"target": targets, "confirmed": "1", "tick": "1", "known": "1", **_form_data(verb)}
        acted.clear()
        careless = visitor.post(url, form, token=False)
        assert (careless.status, careless.audit, acted) == (403, (), []), person
        answer = visitor.post(url, form)
        needs = RULES[f"monitoring_{page}_control"].needs[:-1]
        allowed = may(person, *needs, verb.permission.removeprefix("monitoring."))
        if person == ANONYMOUS:
            assert answer.is_login
            assert answer.audit == ()
        elif not allowed:
            assert answer.is_login if person == PLAIN else answer.status == 403, person
            assert (answer.audit, answer.who) == ((Ending.REFUSED,), (person,))
        else:
            assert answer.status == 302, (person, answer.text)
            assert len(answer.audit) == 1, person
            assert answer.who == (person,)
            assert answer.audit[0] in (Ending.DONE, Ending.PARTLY, Ending.NOTHING), person
        assert acted == (
            [_reachable(verb, person, targets)] if allowed and _reachable(verb, person, targets) else []
        ), person


def _targets(verb: Verb) -> list[str]:
    match verb.target_kind:
        case "task" | "task_id" | "message":
            return [SEEN, f"{HIDDEN}/1"]
        case "worker":
            return [WORKER, OWN_WORKER]
        case "failure":
            return [GROUP, HIDDEN_GROUP]
        case "queue":
            return [QUEUE]
        case "stamp":
            return ["tenant=acme"]
        case "schedule":
            return ["nightly", f"{HIDDEN} one"]
        case _:
            return names(Visibility.everything())[:1]


def _reachable(verb: Verb, person: str, targets: list[str]) -> list[str]:
    """What a verb may be used on: of tasks only those that are seen, and no stamps where not all are. Workers that
    others have use of too may only be asked.
    """
    if person != LIMITED:
        return targets
    if verb.target_kind == "worker":
        return targets if verb.permission == "monitoring.view_worker" else [OWN_WORKER]
    reachable = {
        "task": [SEEN],
        "task_id": [SEEN],
        "message": [SEEN],
        "failure": [GROUP],
        "schedule": ["nightly"],
        "stamp": [],
    }
    return reachable.get(verb.target_kind, targets)


def _form_data(verb: Verb) -> dict[str, Any]:
    """As a browser sends it."""
    given = {"queue": "mail"} if "queue" in verb.form.base_fields else {}
    if verb.target_kind == "queue":
        given["name"] = QUEUE
    found = {**FIT.get(verb.name, {}), **given}
    return {
        key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in found.items()
    }


@pytest.mark.django_db
@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("name", [verb.name for verb in VERBS.values() if verb.target_kind == "task"])
def test_each_verb_in_bulk_acts_for_who_may_and_the_others_are_written_down(
    name: str, acted: list[list[str]]
) -> None:
    verb = VERBS[name]
    World(ANONYMOUS)
    for person in PEOPLE:
        user = make_person(person)
        visitor, given = Visitor(user), {"given": "1", **_form_data(verb)}
        url, form = reverse("admin:monitoring_task_bulk"), {"verb": name, "all": "1", "query": "", **given}
        allowed = may(person, "view_task", verb.permission.removeprefix("monitoring."))
        assert visitor.post(url, form, token=False).status == 403
        answer = visitor.post(url, form)
        if not allowed:
            assert answer.is_login if person in (ANONYMOUS, PLAIN) else answer.status == 403, person
            assert answer.audit == (() if person == ANONYMOUS else (Ending.REFUSED,)), person
            continue
        assert (answer.status, answer.audit) == (302, ()), person
        assert user is not None
        run = BulkRun.objects.create(
            user_id=str(user.pk), verb=name, asked_at=timezone.now(), query="", parameters={}
        )
        acted.clear()
        done = visitor.post(reverse("admin:monitoring_task_bulk_confirm", args=[run.pk]))
        assert (done.status, done.audit, done.who) == (302, (Ending.DONE,), (person,)), person
        assert sorted(chain(*acted)) == sorted(_reachable(verb, person, _targets(verb))), person
        stranger = Visitor(User.objects.create_superuser(f"another {person}"))
        assert stranger.post(reverse("admin:monitoring_task_bulk_confirm", args=[run.pk])).status == 404


@pytest.mark.django_db
@pytest.mark.usefixtures("_limits")
def test_what_a_limited_user_may_not_see_looks_everywhere_as_if_it_did_not_exist() -> None:
    world = World(LIMITED)
    visitor = Visitor(world.user)
    hidden, none = f"{HIDDEN}_2F1", "NOTHING_2F1"
    for address in addresses():
        if address.model != "task" or "<path:object_id>" not in address.route:
            continue
        for method in (visitor.get, visitor.post):
            answers = [method(address.url(lambda *_, key=key: key)) for key in (hidden, none)]
            told = [
                (answer.status, answer.location.replace(hidden, none), answer.text.replace(hidden, none))
                for answer in answers
            ]
            assert told[0] == told[1], address
            assert told[0][0] == 302
    assert Task.objects.filter(pk=f"{HIDDEN}/1").exists()


CLOSED = {ANONYMOUS: 4401, PLAIN: 4403, STAFF: 4403}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("person", PEOPLE)
async def test_each_socket_answers_each_person(person: str) -> None:
    assert [pattern.name for pattern in websocket_urlpatterns] == ["monitoring-socket"], (
        "another one needs its row here"
    )
    world = await on_database(World)(person)
    cookie = await on_database(cookie_of)(world.user) if world.user is not None else ""
    for name in PAGES:
        query = f"page={name}&" + {"task": f"task={SEEN}", "worker": f"worker={WORKER}"}.get(name, "")
        abroad = Page(cookie, query, origin="http://elsewhere.example")
        connected, _ = await abroad.socket.connect(timeout=PATIENCE)
        assert not connected, "what CSRF is to pages, the origin is to sockets"
        async with Page(cookie, query) as page:
            if person in CLOSED:
                assert await page.close_code() == CLOSED[person], name
                assert page.frames == []
                continue
            said = str(await page.frame())
        assert person != LIMITED or HIDDEN not in said, name
        assert person != NO_PAYLOAD or SECRET not in said, name
        if name in ("tasks", "monitor") and person != LIMITED:
            assert HIDDEN in said, "or the markers prove nothing"
        if name == "tasks" and person in (VIEWER, OPERATOR, SUPERUSER):
            assert SECRET in said, "or the markers prove nothing"
    assert not await on_database(AuditEntry.objects.exclude(user_name="somebody").exists)()
