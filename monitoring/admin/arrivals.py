"""Why no task has arrived: the three likely reasons, with what is known of each."""

from __future__ import annotations

from typing import Any

from ..conf import monitoring_settings
from ..queries.arrivals import signs_of_life
from ..queries.visibility import Visibility


def why_nothing_arrived(visibility: Visibility) -> dict[str, Any]:
    """What parts/nothing_arrived.html needs."""
    path = monitoring_settings.CELERY_APP
    return {
        "signs": signs_of_life(),
        "limited": not visibility.is_everything,
        # `celery -A` takes a module; "proj" is what Celery's own documentation writes for yours.
        "celery_app": path.rpartition(".")[0] or path if path else "proj",
    }
