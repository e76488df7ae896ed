"""The bodies of the demo's tasks: limits, and what breaks beneath them."""

import smtplib
import traceback

import pytest
from celery.exceptions import Retry
from django.db import OperationalError

from tasksdemo.shop import gateway, images, mail, payments
from tasksdemo.shop.pace import work
from tasksdemo.tasks import large, orders, outcomes, progressing, search, slow


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        (slow.slow_task, {"duration": -1}),
        (slow.slow_task, {"duration": slow.MAX_DURATION + 1}),
        (slow.slow_task, {"duration": float("nan")}),
        (progressing.progress_task, {"steps": 0}),
        (progressing.progress_task, {"steps": 10**9}),
        (progressing.progress_task, {"seconds": 10**9}),
        (large.large_result_task, {"rows": 10**9}),
        (large.long_text_task, {"characters": 10**9}),
    ],
)
def test_a_task_sent_from_anywhere_keeps_to_its_limits(task, arguments):
    with pytest.raises(ValueError, match=r"must be|at most"):
        task(**arguments)


def test_a_fraction_of_a_second_is_told_as_one():
    assert slow.slow_task(0.25) == {"message": "Task completed after 0.25 seconds"}


@pytest.mark.parametrize("characters", [0, 1, 5, 6, 100, 5000])
def test_a_long_text_is_as_long_as_asked_for(characters):
    assert len(large.long_text_task(characters)) == characters


def test_a_silent_gateway_times_out_within_the_standard_library(monkeypatch):
    monkeypatch.setattr(gateway, "TIMEOUT", 0.05)

    with pytest.raises(gateway.GatewayTimeout, match=r"no answer from .* in 0\.1 s") as caught:
        payments.charge(1, "9.90", simulate="timeout")

    assert isinstance(caught.value.__cause__, TimeoutError)
    assert "http/client.py" in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: payments.charge(1, "9.90", simulate="declined"), gateway.CardDeclined),
        (lambda: payments.charge(1, "9.90", simulate="broken"), payments.PaymentFailed),
        (lambda: images.resize(1, "200x200", simulate="corrupt"), images.UnidentifiedImageError),
        (
            lambda: mail.deliver("ada@mail.example", "news", simulate="disconnected"),
            smtplib.SMTPServerDisconnected,
        ),
        (lambda: search.reindex_product(1, simulate="refused"), ConnectionRefusedError),
        (lambda: orders.sync_order(1, simulate="locked"), OperationalError),
        (lambda: orders.create_label(1, {"country": "DE"}), KeyError),
    ],
)
def test_each_simulated_fault_raises_what_it_is_named_after(call, error):
    with pytest.raises(error):
        call()


def test_a_payment_is_tried_three_times(monkeypatch):
    monkeypatch.setattr(gateway, "TIMEOUT", 0.05)
    arguments = {"order_id": 1, "amount": "9.90", "currency": "EUR"}

    always = orders.capture_payment.apply(kwargs={**arguments, "simulate": "timeout"})
    once = orders.capture_payment.apply(kwargs={**arguments, "simulate": "hiccup"})

    assert (always.state, type(always.result)) == ("FAILURE", gateway.GatewayTimeout)
    assert once.get() == {"currency": "EUR", "order_id": 1, "captured": "9.90"}
    with pytest.raises((Retry, gateway.GatewayTimeout)):
        orders.capture_payment(**arguments, simulate="timeout")


def test_a_task_that_kills_its_process_spares_one_that_is_no_pool_child():
    with pytest.raises(RuntimeError, match="prefork"):
        outcomes.lose_worker_task()


def test_work_never_takes_longer_than_its_limit():
    assert max(work(0.001, spread=3, longest=0.002) for _ in range(50)) == 0.002
