"""Two processes never hold a lease at once, whatever happens to them."""

import signal
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from monitoring.models import Gap, Lease
from monitoring.upkeep.keeper import LeaseKeeper
from monitoring.upkeep.lease import CONSUME, DURATION, RENEWAL, UPKEEP, LeaseHolder, LeaseLost
from tests.upkeep.conftest import until

CONTENDER = ("-m", "tests.upkeep.contender")


def let_expire(using, name=UPKEEP):
    """As if its holder had not renewed it for too long."""
    Lease.objects.using(using).filter(pk=name).update(expires_at=timezone.now() - timedelta(minutes=1))


def writers(using):
    return list(Gap.objects.using(using).order_by("pk").values_list("reason", flat=True))


def test_a_lease_is_given_to_one_contender(using):
    first, second = LeaseHolder(using, UPKEEP, "first"), LeaseHolder(using, UPKEEP, "second")
    assert first.try_acquire()
    assert not second.try_acquire()
    assert first.is_held
    assert not second.is_held
    assert second.holder() == "first"


def test_leases_of_different_names_have_nothing_to_do_with_each_other(using):
    assert LeaseHolder(using, UPKEEP, "first").try_acquire()
    assert LeaseHolder(using, CONSUME, "second").try_acquire()


def test_of_many_contenders_at_once_exactly_one_gets_it(using):
    for name in ("first round", "second round", "third round"):
        # The row is not there yet in any of the rounds, so that its insertion races too.
        barrier, won = threading.Barrier(6), []

        def contend(holder, barrier=barrier, won=won):
            try:
                barrier.wait()
                if holder.try_acquire():
                    won.append(holder.holder_id)
            finally:
                connections.close_all()

        holders = [LeaseHolder(using, name, f"contender {n}") for n in range(6)]
        threads = [threading.Thread(target=contend, args=(holder,)) for holder in holders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert Lease.objects.using(using).get(pk=name).holder == won[0]


def test_a_released_lease_is_free_at_once(using):
    first, second = LeaseHolder(using, UPKEEP, "first"), LeaseHolder(using, UPKEEP, "second")
    assert first.try_acquire()
    first.release()
    assert not first.is_held
    assert second.try_acquire()


def test_releasing_what_somebody_else_has_taken_changes_nothing(using):
    first, second = LeaseHolder(using, UPKEEP, "first"), LeaseHolder(using, UPKEEP, "second")
    assert first.try_acquire()
    let_expire(using)
    assert second.try_acquire()
    first.release()
    assert second.renew()


def test_a_lease_that_has_expired_cannot_be_renewed_only_taken_again(using):
    holder = LeaseHolder(using, UPKEEP, "first")
    assert holder.try_acquire()
    assert holder.renew()
    let_expire(using)
    assert not holder.renew()
    assert not holder.is_held
    assert holder.try_acquire()


def test_nothing_is_begun_without_the_lease(using):
    with pytest.raises(LeaseLost), LeaseHolder(using, UPKEEP, "first").transaction():
        pytest.fail("it was entered")


def test_what_began_in_one_tenure_is_not_committed_in_the_next(using):
    holder = LeaseHolder(using, UPKEEP, "first", duration=3600)
    assert holder.try_acquire()

    def lose_and_take_it_again():
        with holder.transaction():
            now = timezone.now()
            Gap.objects.using(using).create(started_at=now, ended_at=now, reason="first")
            # As the thread that keeps the lease does: in between anybody may have had it.
            assert holder.try_acquire()

    with pytest.raises(LeaseLost):
        lose_and_take_it_again()
    assert writers(using) == []


def test_a_frozen_holder_that_wakes_up_commits_nothing(using, start):
    frozen, other = start(*CONTENDER, "frozen"), start(*CONTENDER, "other")
    assert (frozen.answer(), other.answer()) == ("ready", "ready")
    assert frozen.ask("acquire") == "True"
    assert frozen.ask("write") == "written"
    assert other.ask("acquire") == "False"

    frozen.send_signal(signal.SIGSTOP)
    let_expire(using)
    assert other.ask("acquire") == "True"
    assert other.ask("write") == "written"
    frozen.send_signal(signal.SIGCONT)

    # By its own clock it still has the lease: the database has to tell it.
    assert frozen.ask("held") == "True"
    assert frozen.ask("write") == "lost"
    assert frozen.ask("renew") == "False"
    assert frozen.ask("acquire") == "False"
    assert other.ask("write") == "written"
    assert writers(using) == ["frozen", "other", "other"]


@pytest.mark.django_db(transaction=True, databases=["postgresql"])
def test_a_holder_that_freezes_with_its_locks_in_hand_is_cut_off():
    holder = LeaseHolder("postgresql", UPKEEP, "frozen", duration=3600)
    assert holder.try_acquire()
    with holder.transaction(), connections["postgresql"].cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("1h",)
    with connections["postgresql"].cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("0",), "it applies to the one transaction"


@pytest.mark.parametrize(
    "using",
    [pytest.param("postgresql", marks=pytest.mark.django_db(transaction=True, databases=["postgresql"]))],
)
def test_a_holder_frozen_between_its_writes_and_the_commit_loses_them(using, start):
    frozen, other = start(*CONTENDER, "frozen"), start(*CONTENDER, "other")
    assert (frozen.answer(), other.answer()) == ("ready", "ready")
    assert frozen.ask("acquire") == "True"
    assert frozen.ask("enter") == "inside"
    frozen.send_signal(signal.SIGSTOP)
    let_expire(using)
    assert other.ask("acquire") == "True"
    assert other.ask("write") == "written"
    frozen.send_signal(signal.SIGCONT)
    assert frozen.ask("go on") == "lost"
    assert writers(using) == ["other"]


def test_a_killed_holder_is_replaced_when_its_time_is_up(using, start):
    script = (
        "import django; django.setup()\n"
        "from monitoring.upkeep.keeper import LeaseKeeper\n"
        "from monitoring.upkeep.lease import UPKEEP, LeaseHolder\n"
        "lease = LeaseHolder('default', UPKEEP, 'killed', duration=3)\n"
        "keeper = LeaseKeeper(lease, renewal=0.3)\n"
        "keeper.start()\n"
        "keeper.join()\n"
    )
    killed = start("-c", script)
    successor = LeaseHolder(using, UPKEEP, "successor", duration=3)
    until(lambda: successor.holder() == "killed", "the first had to take the lease")
    keeper = LeaseKeeper(successor, renewal=0.3)
    keeper.start()
    try:
        killed.kill()
        killed.wait()
        until(lambda: successor.is_held, "the successor had to take the lease")
        assert successor.holder() == "successor"
    finally:
        keeper.stop()
    assert successor.holder() == "", "a clean exit gives it back"


def test_keeping_a_lease_that_is_held_already_begins_no_new_tenure(using):
    holder = LeaseHolder(using, UPKEEP, "first", duration=3600)
    assert holder.try_acquire()
    first_expiry = Lease.objects.using(using).get().expires_at
    keeper = LeaseKeeper(holder, renewal=0.1)
    with holder.transaction():
        pass
    keeper.start()
    try:
        until(lambda: Lease.objects.using(using).get().expires_at > first_expiry, "it had to be renewed")
        assert holder._tenure == 1
    finally:
        keeper.stop()


def test_a_fault_that_nobody_expects_ends_no_keeping(using, monkeypatch):
    """Its process would go on for ever with what it has lost, or wait for ever for what is free."""
    holder = LeaseHolder(using, UPKEEP, "first")
    faults = [RuntimeError("a fault")]

    def acquire():
        if faults:
            raise faults.pop()
        return LeaseHolder.try_acquire(holder)

    monkeypatch.setattr(holder, "try_acquire", acquire)
    keeper = LeaseKeeper(holder, renewal=0.1)
    keeper.start()
    try:
        until(lambda: keeper.has_it, "it had to be taken")
    finally:
        keeper.stop()


def test_a_dead_holder_is_replaced_within_half_a_minute():
    assert DURATION + RENEWAL < 30
    assert DURATION / RENEWAL >= 3, "two renewals may fail before the lease is lost"
