"""What Flower's routes share: parameters from the query string or a form, errors with Flower's status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from rest_framework.response import Response

from ...control.contract import Outcome, Result
from ...queries.reading import OutOfTime
from ..problems import problem
from ..views import MonitoringView
from .parameters import BadParameter, Given


class FlowerView(MonitoringView):
    """Bodies are read as Flower does, whatever their content type says."""

    parser_classes: list[Any] = []

    @cached_property
    def given(self) -> Given:
        request = self.request._request
        return Given({**request.GET.dict(), **request.POST.dict()})

    def get_exception_handler(self) -> Callable[..., Response]:
        answer_others = super().get_exception_handler()

        def answer(error: Exception, context: Mapping[str, Any]) -> Response:
            match error:
                case BadParameter():
                    return problem(400, str(error))
                case OutOfTime():
                    return problem(
                        503, "This takes too long: ask for fewer tasks, or by name, worker or state."
                    )
            return answer_others(error, context)

        return answer


def beside(result: Result) -> dict[str, Any]:
    """What Flower does not say: the outcome, why or what was seen, and what each worker answered."""
    answers = {
        host: {"said": str(answer.said), "words": answer.words, "seconds": answer.seconds}
        for host, answer in result.answers.items()
    }
    return {"outcome": str(result.outcome), "words": result.words, "answers": answers}


def is_sent(result: Result) -> bool:
    return result.outcome in (Outcome.DONE, Outcome.UNCONFIRMED)
