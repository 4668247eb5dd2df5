"""A fault of the account that one reply or file alone meets is its own: the provider blames the account, and lets all
others through."""

from __future__ import annotations

OTHERS = 3
"""How often others must have gone through after an item met the fault."""
MOST_KNOWN = 1_000


class OwnFaults:
    """Of one account and one ability."""

    def __init__(self) -> None:
        self._others: dict[str, int] = {}
        """How often others of its template went through after the item met a fault, by the item's id."""
        self._met: dict[str, str] = {}
        """The templates of the items that met one since another of their template went through."""

    def met(self, item: str, template: str) -> bool:
        """An item met a fault of the account. True: it is the item's own."""
        self._met[item] = template
        if len(self._met) > MOST_KNOWN:
            del self._met[next(iter(self._met))]
        return self._others.get(item, 0) >= OTHERS

    def worked(self, template: str) -> None:
        """An item of this template went through."""
        for item in [item for item, known in self._met.items() if known == template]:
            del self._met[item]
            self._others[item] = self._others.pop(item, 0) + 1
        while len(self._others) > MOST_KNOWN:
            del self._others[next(iter(self._others))]
