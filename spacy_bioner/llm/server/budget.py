"""What requests cost, and a limit that is kept before a request is sent, not after."""

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import AsyncIterator, List, Optional

from ...errors import BionerError, Errors, Warnings
from ...locks import ThreadLock
from ..settings import ConnectionSettings

logger = logging.getLogger(__name__)

_MILLION = 1_000_000
# Seconds between two looks whether requests in progress have cost less than they could have.
_LOOK = 0.05


class Budget:
    """Counts the cost of a run; the servers of one run share it.

    settings (ConnectionSettings): The prices and the limit.
    RAISES BionerError: E237 for a limit without both prices: what has none would cost nothing, however much it is.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self.price_in = settings.price_in_per_million
        self.price_out = settings.price_out_per_million
        self.max_cost = settings.max_cost
        self.spent = 0.0
        self._reserved: List[float] = []
        self._lock = ThreadLock()
        unpriced = [kind for kind, price in (("prompt", self.price_in), ("response", self.price_out)) if price is None]
        if self.max_cost is not None and unpriced:
            raise BionerError(Errors.E237.format(limit=self.max_cost, kinds=" and ".join(unpriced)))
        if self.has_prices and unpriced:
            logger.warning(Warnings.W209.format(kind=unpriced[0]))

    @property
    def has_prices(self) -> bool:
        return self.price_in is not None or self.price_out is not None

    def cost(self, prompt_tokens: float = 0, answer_tokens: float = 0) -> float:
        """Return the cost of a request, in the currency of the prices."""
        return ((self.price_in or 0.0) * prompt_tokens + (self.price_out or 0.0) * answer_tokens) / _MILLION

    @asynccontextmanager
    async def reserved(self, most: float) -> AsyncIterator[None]:
        """Keep what a request may cost at most, as long as it is in progress.

        most (float): Its greatest cost. Where the rest is less, requests in progress are waited for.
        RAISES BionerError: E238 where the rest is less even then.
        """
        while not self._reserve(most):
            await asyncio.sleep(_LOOK)
        try:
            yield
        finally:
            with self._lock:
                self._reserved.remove(most)

    def _reserve(self, most: float) -> bool:
        with self._lock:
            if self.max_cost is not None and self.spent + sum(self._reserved) + most > self.max_cost:
                if self._reserved:
                    return False
                raise BionerError(Errors.E238.format(limit=self.max_cost, spent=self.spent, most=most))
            self._reserved.append(most)
            return True

    def spend(self, cost: float) -> None:
        """Add the cost of an answer."""
        with self._lock:
            self.spent += cost


def make_budget(settings: ConnectionSettings) -> Optional[Budget]:
    """Return the budget of a run; None where no price is set."""
    budget = Budget(settings)
    return budget if budget.has_prices else None
