"""The answers of a flow, which WhatsApp sends as JSON within a text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors._json import Json, decode_object, string_of


def answers_of(chosen: Json) -> Json:
    answers = decode_object(string_of(chosen, "response_json").encode("utf-8", "replace")) or {}
    return {name: answer for name, answer in answers.items() if name != "flow_token"}


def answer_lines(name: str, answer: Any) -> Iterator[str]:
    """`jenis: Jalan, Lampu`, `lokasi.kecamatan: Coblong`. Files are attachments, and nothing answered is no line."""
    if isinstance(answer, dict):
        if not _is_file(answer):
            yield from (line for inner, value in answer.items() for line in answer_lines(f"{name}.{inner}", value))
    elif isinstance(answer, list):
        plain = [_word(one) for one in answer if not isinstance(one, dict | list) and one is not None]
        yield from [f"{name}: {', '.join(plain)}"] if plain else []
        nested = [one for one in answer if isinstance(one, dict | list) and not _is_file(one)]
        yield from (line for at, one in enumerate(nested, 1) for line in answer_lines(f"{name}.{at}", one))
    elif answer is not None and answer != "":
        yield f"{name}: {_word(answer)}"


def _word(answer: Any) -> str:
    if isinstance(answer, bool):
        return "ya" if answer else "tidak"
    return str(answer)


def _is_file(answer: Any) -> bool:
    return isinstance(answer, dict) and "mime_type" in answer and isinstance(answer.get("id"), str | int)


def files_in(answer: Any) -> Iterator[Json]:
    """The files in the answers of a flow, wherever they stand."""
    if _is_file(answer):
        yield answer
    elif isinstance(answer, dict | list):
        for one in answer.values() if isinstance(answer, dict) else answer:
            yield from files_in(one)
