"""A question that hangs is asked once, whoever waits for it."""

from __future__ import annotations

import threading

import pytest

from monitoring.health.probe import Probe

#: For whatever a thread does in the end.
PATIENCE = 60


def test_all_who_ask_while_a_question_is_under_way_get_its_answer():
    may_end, asked = threading.Event(), []

    def ask():
        asked.append(1)
        may_end.wait(PATIENCE)
        return len(asked)

    probe = Probe(ask, give_up=PATIENCE)
    answers = [probe.start() for _ in range(5)]
    with pytest.raises(TimeoutError):
        answers[0].result(0.01)
    may_end.set()
    assert [answer.result(PATIENCE) for answer in answers] == [1] * 5
    assert probe.start().result(PATIENCE) == 2, "the next one is asked anew"


def test_what_hangs_for_too_long_is_asked_again():
    hangs, may_end, asked = threading.Event(), threading.Event(), []

    def ask():
        asked.append(1)
        if len(asked) == 1:
            hangs.set()
            may_end.wait(PATIENCE)
        return len(asked)

    probe = Probe(ask, give_up=0)
    hanging = probe.start()
    try:
        assert hangs.wait(PATIENCE)
        assert probe.start().result(PATIENCE) == 2
        assert not hanging.done()
    finally:
        may_end.set()


def test_what_it_raises_is_told_and_it_can_be_asked_again():
    faults = [OSError("amqp://guest:secret@broker")]

    def ask():
        if faults:
            raise faults.pop()
        return "well"

    probe = Probe(ask, give_up=PATIENCE)
    assert isinstance(probe.start().exception(PATIENCE), OSError)
    assert probe.start().result(PATIENCE) == "well"
