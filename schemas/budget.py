"""Budgets: how many tokens and how much money models may take, for a case and for a day of a process."""

from decimal import Decimal

from pydantic import Field as Bounded

from schemas.message import Message


class Spent(Message):
    """Tokens read and written, and money in the currency of the settings that name the prices."""

    tokens: int = 0
    cost: Decimal = Decimal(0)


class Limit(Message):
    tokens: int | None = Bounded(default=None, gt=0)
    cost: Decimal | None = Bounded(default=None, gt=0)

    def used(self, spent: Spent) -> float:
        """The share of it that is used up, by tokens or by money, whichever is more; 1 is all."""
        shares = [spent.tokens / self.tokens] if self.tokens else []
        shares += [float(spent.cost / self.cost)] if self.cost else []
        return max(shares, default=0.0)


class Budget(Message):
    """Beyond it no endpoint is asked, and a person decides. Days are those of UTC."""

    case: Limit = Limit()
    day: Limit = Limit()
    warn_at: float = Bounded(default=0.8, gt=0, le=1)

    def objection(self, case: Spent, day: Spent) -> str:
        """Why no endpoint is to be asked, or empty."""
        if self.case.used(case) >= 1:
            return "the budget of the case is used up"
        return "the budget of the day is used up" if self.day.used(day) >= 1 else ""

    def warning(self, case: Spent, day: Spent) -> str:
        """What is running out, or empty."""
        used = {"case": self.case.used(case), "day": self.day.used(day)}
        return ", ".join(
            f"{share:.0%} of the budget of the {of} is used" for of, share in used.items() if share >= self.warn_at
        )
