"""What the traffic consists of, and when it is due."""

import random
from collections import Counter
from fnmatch import fnmatch

import pytest
from celery import current_app
from hypothesis import given
from hypothesis import strategies as st

from tasksdemo.routes import QUEUES, ROUTES
from tasksdemo.traffic.incident import EVERY, FIRST_AT, LASTS, incident_at
from tasksdemo.traffic.kinds import (
    KINDS,
    OPENING,
    failing_in,
    order_while_the_gateway_answers,
    order_while_the_gateway_is_silent,
)
from tasksdemo.traffic.pace import Pace


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("seed", range(5))
def test_every_kind_makes_a_signature_of_tasks_that_exist(name, seed):
    current_app.loader.import_default_modules()

    signature = KINDS[name].make(random.Random(seed))

    tasks = list(getattr(signature, "tasks", [])) or [signature]
    assert all(task.task in current_app.tasks for task in tasks)


def test_the_opening_shows_one_of_each_rare_kind():
    assert set(OPENING) <= set(KINDS)
    rare = {name for name, kind in KINDS.items() if kind.weight < 1}
    assert rare - set(OPENING) == {"lose-worker"}


def test_the_same_seed_draws_the_same_orders():
    def draw() -> list[dict]:
        rng = random.Random(7)
        return [order_while_the_gateway_answers(rng).kwargs for _ in range(20)]

    assert draw() == draw()


def test_most_payments_time_out_during_an_incident_and_hardly_any_otherwise():
    rng = random.Random(1)

    silent = Counter(order_while_the_gateway_is_silent(rng).kwargs["simulate"] for _ in range(500))
    usual = Counter(order_while_the_gateway_answers(rng).kwargs["simulate"] for _ in range(500))

    assert silent["timeout"] > 350
    assert usual["timeout"] == 0
    assert usual[""] > 450
    assert usual["declined"] > 0


def test_a_fault_happens_as_often_as_its_chance_says():
    rng = random.Random(2)

    drawn = Counter(failing_in(rng, a=0.5, b=0.25) for _ in range(4000))

    assert drawn["a"] == pytest.approx(2000, rel=0.15)
    assert drawn["b"] == pytest.approx(1000, rel=0.15)
    assert drawn[""] == pytest.approx(1000, rel=0.15)


def test_an_incident_comes_back_and_ends():
    assert not incident_at(0)
    assert [incident_at(FIRST_AT + day * EVERY) for day in range(5)] == [True] * 5
    assert not any(incident_at(FIRST_AT + day * EVERY + LASTS) for day in range(5))
    assert not any(incident_at(FIRST_AT + day * EVERY - 0.1) for day in range(5))


@given(
    rate=st.floats(1, 300), seed=st.integers(), steps=st.lists(st.floats(0.01, 0.9), min_size=1, max_size=200)
)
def test_the_pace_keeps_its_rate_however_often_it_is_asked(rate, seed, steps):
    pace, now, count = Pace(rate, random.Random(seed), 0.0), 0.0, 0
    for step in steps:
        now += step
        count += pace.due(now)
        assert pace.next_at > now

    assert abs(count - rate * now) <= 6 * (rate * now) ** 0.5 + 6


def test_what_was_due_while_nothing_could_be_sent_is_not_made_up_for():
    pace = Pace(100, random.Random(3), 0.0)

    assert pace.due(3600.0) < 50


def test_a_rate_of_zero_is_never_due():
    pace = Pace(0, random.Random(), 0.0)

    assert pace.due(10**9) == 0


def test_every_route_leads_to_a_queue_that_workers_consume_and_matches_a_task():
    current_app.loader.import_default_modules()
    names = {queue.name for queue in QUEUES}

    for pattern, route in ROUTES.items():
        assert route["queue"] in names
        assert any(fnmatch(task, pattern) for task in current_app.tasks)


def test_each_queue_is_bound_by_its_own_name():
    assert all(queue.exchange.name == queue.routing_key == queue.name for queue in QUEUES)
    assert {queue.name for queue in current_app.amqp.queues.consume_from.values()} == {
        "celery",
        "media",
        "reports",
    }
