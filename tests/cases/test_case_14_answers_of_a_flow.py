"""The answers of a flow are words, and its photos are attachments."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cases.conftest import INPUTS, Satupintu, webhook_of
from tests.channels.recording import channel, raw, read
from tests.fakes.graph import webhook
from tests.flow.running_hub import RunningHub

FOLDER = INPUTS / "14"


def test_lists_places_and_flags_are_words(satupintu: Satupintu):
    (message,) = satupintu("parse", "whatsapp", FOLDER / "flow.json").out
    assert message["text"].splitlines() == [
        "jenis: Jalan, Lampu", "lokasi.kecamatan: Coblong", "lokasi.kelurahan: Dago", "setuju: ya",
    ]  # fmt: skip
    (attachment,) = message["attachments"]
    assert (attachment["native_id"], attachment["media_type"], attachment["name"]) == ("790", "image/jpeg", "foto.jpg")


def test_an_address_is_among_the_words(satupintu: Satupintu):
    (message,) = satupintu("parse", "whatsapp", FOLDER / "address.json").out
    assert message["text"].splitlines() == [
        "Jl. Melati 5, Coblong, Bandung", "values.address: Jl. Melati 5", "values.city: Bandung",
    ]  # fmt: skip


async def test_the_photo_is_fetched_as_any_other(hub: RunningHub):
    hub.graph.files["790"] = (b"\xff\xd8\xfffoto", "image/jpeg")
    await hub.webhook(webhook_of(FOLDER / "flow.json"))
    await hub.until(lambda: any(r.path == "/bytes/790" for r in hub.graph.received), "the photo")


def answered(answers: dict[str, Any]) -> tuple[list[str], list[str | None]]:
    reply = {"name": "flow", "body": "Sent", "response_json": json.dumps(answers)}
    inside = {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
    body = json.dumps(webhook({"messages": [{"from": "628120001401", "id": "w", **inside}]})).encode()
    (message,) = read(channel("whatsapp"), raw("whatsapp", _request(body)))
    return message.text.splitlines(), [file.native_id for file in message.attachments]


def _request(body: bytes) -> Any:
    from connectors import Request

    return Request(body=body)


@pytest.mark.parametrize(
    ("answers", "words", "files"),
    [
        ({"nama": "Sari", "umur": 41, "tinggi": 1.5}, ["nama: Sari", "umur: 41", "tinggi: 1.5"], []),
        ({"a": None, "b": "", "c": [], "d": {}, "e": [None]}, [], []),
        ({"setuju": False, "pilihan": [True, 2, "Lampu"]}, ["setuju: tidak", "pilihan: ya, 2, Lampu"], []),
        ({"korban": [{"nama": "Ani"}, {"nama": "Budi"}]}, ["korban.1.nama: Ani", "korban.2.nama: Budi"], []),
        ({"bukti": {"depan": {"id": 7, "mime_type": "image/png"}, "ket": "pagi"}}, ["bukti.ket: pagi"], ["7"]),
        ({"f": [{"id": "1", "mime_type": "a/b"}, {"id": "2", "mime_type": "a/b"}]}, [], ["1", "2"]),
        ({"kode": {"id": "5", "title": "Lampu"}}, ["kode.id: 5", "kode.title: Lampu"], []),
    ],
)
def test_answers_of_any_form_are_kept(answers: dict[str, Any], words: list[str], files: list[str]):
    assert answered({"flow_token": "x", **answers}) == (words, files)
