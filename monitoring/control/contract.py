"""What a verb is, and what it answers for each of its targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import models

from ..models import FailureGroup, Queue, Task, Worker
from ..queries.visibility import Visibility
from .actor import Actor
from .broadcast import Answers
from .parameters import NoParameters, Parameters, ParametersForm, read

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise


class Outcome(StrEnum):
    """What became of one target."""

    DONE = "done"
    #: Not eligible, or not there (any more); nothing was tried.
    LEFT_OUT = "left out"
    #: Sent, and nobody answered: the effect may still come.
    UNCONFIRMED = "no confirmation"
    #: Tried, and refused or broken.
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """The outcome for one target, by its id; `words` say why where it is not simply done, or what was seen of it.

    `answers` are what workers said, by host name; tasks of one command share them. `observed` is whether the effect was
    seen: None where there is none to see, or nobody looked. `before` is what the verb wants to remember for that.
    `made` is the id of the task that it started, if it did.
    """

    target: str
    outcome: Outcome
    words: str = ""
    seconds: float | None = None
    answers: Answers = field(default_factory=dict)
    observed: bool | None = None
    before: Any = None
    made: str = ""


#: Results by target id, in the order in which they were asked for.
Results = dict[str, Result]


@dataclass(frozen=True)
class Confirmation:
    """What is asked before a verb is used: a question with the names in it, and the worst that follows.

    `facts` are rows of what happens to what (``("8 running tasks", "are finished first")``). Where `tick` is not empty,
    it is a sentence that has to be ticked, since nothing else protects.
    """

    question: str
    consequence: str
    button: str
    safe_button: str
    facts: Sequence[tuple[str, str]] = ()
    tick: str = ""


#: Kinds of targets that are objects, and their models. Targets of other kinds are only texts: ``"task_name"``
#: (``shop.pay``), ``"task_id"`` (of a task that need not be known), ``"message"`` (the id of its task), ``"stamp"``
#: (``tenant=acme``), ``"schedule"`` (its name).
MODELS: Mapping[str, type[models.Model]] = {
    "task": Task,
    "worker": Worker,
    "failure": FailureGroup,
    "queue": Queue,
}

#: Characters of the button that answers a question.
LONGEST_BUTTON = 32

#: Pools as :attr:`Worker.pool` has them.
POOLS = ("prefork", "threads", "solo", "gevent", "eventlet")


def nothing_against(target: Any, parameters: Parameters) -> str:
    """The `why_not_so` of a verb whose parameters make no target unfit."""
    return ""


def nothing_against_state(state: str) -> str:
    """The `why_not_in` of a verb that no state alone makes a target unfit for."""
    return ""


@dataclass(frozen=True)
class Verb:
    """One thing that a user can do to targets of one kind.

    `find(ids, visibility)` answers those of at most :attr:`chunk` targets that exist and may be seen, by id, with what
    `why_not` looks at: the reason, as a sentence, why a target is not eligible in its present state, or an empty text.
    `why_not_so` is the same for a target and the parameters together; `why_not_in` for all targets of a state,
    whatever else is known of them, so that a list can say it of its rows: of tasks a :class:`State`, of groups of
    failures ``"open"`` or ``"heard"``.

    `act(ids, visibility, parameters)`, or `act_as(ids, actor, parameters)` where it matters who acts (one of the two is
    given), does it to eligible targets and judges each once more, under a lock where there
    is one; it answers a result for each id, and raises only what makes every further try pointless as well (a database
    or broker that is gone: ControlUnavailable).

    `observe(results, visibility, parameters, until)` looks for the effect on the targets of `results` until it is seen
    or ``time.monotonic()`` has come to `until`, and answers their results anew. It never raises ControlUnavailable.
    """

    name: str
    label: StrPromise
    #: ``"app_label.codename"``.
    permission: str
    #: See :data:`MODELS`.
    target_kind: str
    destroys: bool
    #: Of how many targets: a question, and the button that says yes to it. `consequence` is the worst that follows.
    question: Callable[[int], str]
    consequence: StrPromise
    button: Callable[[int], str]
    safe_button: StrPromise
    #: What happens to an eligible target, after its number: ``412 will be deleted``.
    happens: StrPromise
    #: What it did, in the past tense, for the audit: ``deleted the record of``.
    did: StrPromise
    find: Callable[[Sequence[str], Visibility], Mapping[str, Any]]
    why_not: Callable[[Any], str]
    act: Callable[[Sequence[str], Visibility, Parameters], Results] | None = None
    act_as: Callable[[Sequence[str], Actor, Parameters], Results] | None = None
    why_not_so: Callable[[Any, Parameters], str] = nothing_against
    why_not_in: Callable[[str], str] = nothing_against_state
    observe: Callable[[Results, Visibility, Parameters, float], Results] | None = None
    form: type[ParametersForm] = NoParameters
    #: The same as `question`, `consequence` and `button` for targets and parameters that are known.
    confirm: Callable[[Sequence[Any], Parameters, Visibility], Confirmation] | None = None
    #: `did` with the parameters in it: ``grew the pool by 2``.
    did_so: Callable[[Parameters], str] | None = None
    #: How long the effect lasts and how to keep it, beside its control. Empty: for good.
    lasts: StrPromise | str = ""
    #: Pools that can do it; None: all. `why_not` says so of a target whose pool is known.
    pools: frozenset[str] | None = None
    #: Whether all that it does is in the watched database, so that a chunk and its result can be one transaction.
    local: bool = False
    #: Whether somebody answers it. Of what is only sent it is awaited that a worker takes it.
    is_answered: bool = True
    #: Targets of one call of `act`.
    chunk: int = 500
    #: The same with the parameters in it, at most :attr:`chunk`: of what is paced.
    chunk_so: Callable[[Parameters], int] | None = None

    def use(self, ids: Sequence[str], actor: Actor, parameters: Parameters) -> Results:
        """Do it: :attr:`act_as` or :attr:`act`."""
        if self.act_as is not None:
            return self.act_as(ids, actor, parameters)
        assert self.act is not None, f"{self.name} does nothing"
        return self.act(ids, actor.visibility, parameters)

    def chunk_for(self, parameters: Parameters) -> int:
        """Targets of one call of `act` in a bulk run, which can be stopped between two."""
        return self.chunk if self.chunk_so is None else min(self.chunk, self.chunk_so(parameters))

    @property
    def model(self) -> type[models.Model] | None:
        """Of the targets; None where they are only texts."""
        return MODELS.get(self.target_kind)

    def confirmation(
        self, targets: Sequence[Any], parameters: Parameters, visibility: Visibility
    ) -> Confirmation:
        """What to ask before it is used on targets that `find` answered. Cost: one query at most.

        A button that would not stand beside another one says only the verb: the question above has the name.
        """
        if self.confirm is not None:
            asked = self.confirm(targets, parameters, visibility)
            return replace(asked, button=str(self.label)) if len(asked.button) > LONGEST_BUTTON else asked
        count = len(targets)
        return Confirmation(
            self.question(count), str(self.consequence), self.button(count), str(self.safe_button)
        )

    def told(self, parameters: Parameters) -> str:
        """What it did, for the audit."""
        return self.did_so(parameters) if self.did_so is not None else str(self.did)

    def form_for(
        self,
        targets: Sequence[Any],
        visibility: Visibility,
        data: Mapping[str, Any] | None = None,
        initial: Parameters | None = None,
        *,
        with_payload: bool = False,
    ) -> ParametersForm:
        """Its form on a page, bound where there is `data`; ``form.parameters()`` is what :meth:`read` answers.

        Without targets it is for those of a selection.
        """
        return self.form(
            data,
            targets=targets,
            visibility=visibility,
            initial=dict(initial or {}),
            with_payload=with_payload,
            on_page=True,
        )

    def read(self, given: Parameters, visibility: Visibility, count: int = 1) -> Parameters:
        """Parameters from values that a program gave for `count` targets. Raises InvalidParameters."""
        return read(self.form, given, visibility, count)


class NotAllowed(Exception):
    """An actor tried what they may not do; its text says what is missing. The attempt is in the audit log."""
