"""What an attempt costs, in whole picodollars: sums of them are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

DOLLAR = 10**12
"""Picodollars."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A price list, in dollars.

    Plot publishes none. The figures here are those of another serverless platform, its free allowances aside: AWS in
    us-east-1, read in November 2026. An execution and a GB-second are Lambda's, where a GB-second is the memory that
    an attempt may use, for as long as it lasts; a request is a write to DynamoDB, on demand. Lambda charges nothing for
    CPU by itself. So a cost follows from the journal alone; with a price for CPU it is measured by the machine.

    Attributes:
        execution: An attempt, whatever it does.
        request: A metered request.
        cpu_second: A second that the guest computes.
        gb_second: 2**30 bytes of `Limits(memory=...)` for a second on the runtime's clock.
    """

    execution: float = 0.20e-6
    request: float = 0.625e-6
    cpu_second: float = 0.0
    gb_second: float = 16.6667e-6

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or not 0 <= value <= 10**6:
                raise ValueError(
                    f"Prices({each.name}={value!r}): give dollars, from zero to a million, such as 0.01"
                )

    def cost(self, *, requests: int, cpu_ms: float, memory: int, lasted: int) -> int:
        """What an attempt costs.

        Args:
            requests: How many it made.
            cpu_ms: What its guest computed.
            memory: Bytes that it was allowed.
            lasted: Microseconds on the runtime's clock.

        Returns:
            Picodollars.
        """
        dollars = (
            self.execution
            + self.request * requests
            + self.cpu_second * cpu_ms / 1000
            + self.gb_second * (memory / 2**30) * (lasted / 1e6)
        )
        return round(dollars * DOLLAR)


def check_prices(prices: object) -> None:
    """Check what a runtime is made with.

    Raises:
        TypeError: Saying what to give.
    """
    if prices is not None and not isinstance(prices, Prices):
        raise TypeError(f"prices={prices!r}: give Prices(...), such as Prices(execution=0.01)")
