"""An id that comes again with other content is another item: it gets an id of its own, `17~2`, `17~3`, …

Gateways restart their counting, monthly exports number from 1, and mail programs use a Message-ID twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count

from msgspec.structs import replace

from normalizer._port import Known, Memory, Query
from normalizer.content import ComparedItem, comparison_of
from schemas import Message

ID_USED_BEFORE = "its id came before with other content"
"""Stands in the reason of such an item."""
_COUNTED = 9
"""After `~9` the content's own digest follows the id, so that a file whose ids are all equal costs no more."""

Items = Sequence[ComparedItem]


def memory_query(compared: ComparedItem) -> Query:
    """What the memory is asked for this item."""
    keys = tuple(k.key for k in compared.report_keys)
    return Query(item=compared.item, report_keys=keys, profile=compared.profile)


def with_own_ids(items: Items, known: Known, memory: Memory) -> list[ComparedItem]:
    """The items, each with the id that is its own. What the memory knows of the new ids is added to `known`."""
    found = [_as_decided(one, known) for one in items]
    undecided = {n for n, (item, *_) in enumerate(items) if (item.raw, item.item_index) not in known.decided}
    for attempt in count(2):
        reused = _reused(found, known, undecided)
        if not reused or attempt > _COUNTED + 1:
            return found
        for n in reused:
            suffix = attempt if attempt <= _COUNTED else items[n].content[:12]
            found[n] = _renamed(items[n], f"~{suffix}")
        _extend(known, memory.recall([memory_query(found[n]) for n in reused]))
    raise AssertionError


def _as_decided(one: ComparedItem, known: Known) -> ComparedItem:
    decision = known.decided.get((one.item.raw, one.item.item_index))
    return one if decision is None else _renamed(one, decision.message.removeprefix(one.item.id))


def _renamed(one: ComparedItem, suffix: str) -> ComparedItem:
    """A conversation that is named after the message (a form, a row of a file) is another one too."""
    item = one.item
    if not suffix:
        return one
    if isinstance(item, Message) and item.conversation == item.native_id:
        return comparison_of(replace(item, id=f"{item.id}{suffix}", conversation=f"{item.conversation}{suffix}"))
    return one._replace(item=replace(item, id=f"{item.id}{suffix}"))


def _reused(items: Items, known: Known, undecided: Collection[int]) -> list[int]:
    """Positions of the items whose id has other content in the memory, or earlier in the batch."""
    first: dict[str, str] = {}
    reused = []
    for n, (item, content, *_) in enumerate(items):
        seen = known.seen.get(item.id)
        before = first.setdefault(item.id, seen.content or content if seen else content)
        if n in undecided and before != content:
            reused.append(n)
    return reused


def _extend(known: Known, more: Known) -> None:
    for name in known.__struct_fields__:
        getattr(known, name).update(getattr(more, name))
