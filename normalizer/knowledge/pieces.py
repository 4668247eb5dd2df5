"""A text as it is read, and what its pieces (what stands between two blanks) hint at: most pieces of most texts say
nothing to any rule, and what the others say is told once, whatever text they stand in."""

from __future__ import annotations

from typing import NamedTuple

from normalizer.knowledge.emergency import may_be_danger
from normalizer.knowledge.remembered import Remembered
from normalizer.knowledge.slang import forms_in, meanings_of, with_forms_written_out, with_passive_joined
from schemas.personal.hints import ALL, Hints, PieceSigns, hints_of, signs_of


class _Piece(NamedTuple):
    forms: tuple[str, ...]
    """Words that are read otherwise."""
    danger: bool
    personal: PieceSigns


class ReadText(NamedTuple):
    """A text as it is read."""

    text: str
    danger: bool
    """May it speak of an emergency?"""
    personal: Hints


def read_pieces(text: str, *, annotates: bool = True) -> ReadText:
    """Of a cleaned text. Where it does not annotate, a text without danger may stay as it is written, without hints."""
    text = with_passive_joined(text)
    written = set(text.split())
    pieces = _PIECES.of(written)
    danger = any(piece.danger for piece in pieces)
    if (annotates or danger) and (forms := {form for piece in pieces for form in piece.forms}):
        text = with_forms_written_out(text, forms)
        pieces += _PIECES.of(set(text.split()) - written)
    return ReadText(text, danger, hints_of([piece.personal for piece in pieces]) if annotates else ALL)


def _piece(written: str) -> _Piece | None:
    forms = forms_in(written)
    danger = may_be_danger(written) or any(map(may_be_danger, meanings_of(forms)))
    piece = _Piece(forms, danger, signs_of(written))
    return piece if forms or danger or any(piece.personal) else None


_PIECES = Remembered(_piece)
