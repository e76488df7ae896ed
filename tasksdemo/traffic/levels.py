"""How much traffic there is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Level:
    """`business` is what people do in the shop, each a few tasks in the end; `prices` are single short tasks.

    Both are sent so many times a second. Above `most_waiting` messages in the queues nothing is sent until the
    workers have caught up, so that a slow or a missing worker leaves a backlog with an end.
    """

    business: float
    prices: float
    most_waiting: int

    @property
    def sends_nothing(self) -> bool:
        return not (self.business or self.prices)


# On average 2.2 tasks come from one send of business: about 7 tasks a second at "normal".
LEVELS = {
    "off": Level(business=0, prices=0, most_waiting=0),
    "normal": Level(business=3, prices=0, most_waiting=500),
    "heavy": Level(business=3, prices=200, most_waiting=5000),
}
