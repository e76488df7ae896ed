"""Pages that are fetched anew are told when the job whose work they show has ended."""

from datetime import UTC, datetime, timedelta

import pytest

from monitoring.live.fetched import FETCHED
from monitoring.models import UpkeepJob
from tests.factories import make_user
from tests.live.sockets import Page, cookie_of, on_database, tell

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = datetime(2026, 11, 30, 12, 0, 0, 123_456, tzinfo=UTC)
AFTER = BEFORE + timedelta(seconds=10)
announce = on_database(tell)


@on_database
def end(job: str, at: datetime, *, well: bool = True) -> None:
    UpkeepJob.objects.update_or_create(name=job, defaults={"finished_at": at, "succeeded": well})


@pytest.mark.parametrize("name", FETCHED)
@pytest.mark.parametrize("well", [True, False])
async def test_a_page_is_told_when_its_job_has_ended_well_or_not(transactional_db, name, well):
    """A broker that cannot be read is news too."""
    job, permission = FETCHED[name]
    cookie = await on_database(make_reader)("view_task", permission)
    await end(job, BEFORE)
    await end("trim", AFTER)
    async with Page(cookie, f"page={name}") as page:
        assert (await page.frame())["found"] == {"at": BEFORE.isoformat()}
        await end(job, AFTER, well=well)
        await announce("a")
        await page.until(
            lambda: page.frames[-1].get("found") == {"at": AFTER.isoformat()}, "it had to be told"
        )


@pytest.mark.parametrize("name", FETCHED)
async def test_who_may_not_see_the_page_is_told_nothing_of_it(transactional_db, name):
    others = {page.permission for page in FETCHED.values()} - {FETCHED[name].permission}
    cookie = await on_database(make_reader)("view_task", *others)
    await end(FETCHED[name].job, BEFORE)
    async with Page(cookie, f"page={name}") as page:
        assert "found" not in await page.frame()


async def test_a_job_that_never_ran_is_told_as_such(transactional_db):
    cookie = await on_database(make_reader)("view_task", "view_queue")
    async with Page(cookie, "page=queues") as page:
        assert (await page.frame())["found"] == {"at": None}


def make_reader(*permissions: str) -> str:
    return cookie_of(make_user("reader", *permissions))
