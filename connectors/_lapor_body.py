"""What LAPOR! is told: the JSON of a complaint, and the form of a follow-up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from connectors._durations import WIB
from connectors._forwards import ForwardedFile
from connectors._lapor_settings import LaporSettings, number
from schemas import Forward, Place

TITLE, CONTENT, FOLLOWUP = 150, 10_000, 1_000
"""Characters that LAPOR! takes."""
MOST_FILES, FILE_BYTES = 5, 5 * 1024 * 1024
OURS = re.compile(r"\[SP (\d{10})(?:-[0-9a-f]{8})?\]")
"""Our mark: it stands in everything that we write there."""
_WORDS = {"question": "Pertanyaan kepada pelapor: ", "supplement": "Tambahan dari pelapor: "}


def mark(forward: Forward) -> str:
    """Our mark of this forward."""
    return f"[SP {forward.reference}]"


def complaint_body(forward: Forward, settings: LaporSettings, files: Sequence[int], missing: int) -> dict[str, Any]:
    """Call 4. `files` are their ids of the uploaded files; `missing` of ours could not be uploaded."""
    own = number(settings.institution_id) or settings.institution_of(forward)
    return {
        "title": _title(forward), "content": _content(forward, missing), "channel": number(settings.channel_code),
        "classification_id": settings.class_of(forward), "category_id": settings.category_of(forward),
        "disposition_id": own, "is_disposisi_slider": own is not None,
        "location_id": settings.location_of(forward.place.code if forward.place else None),
        "date_of_incident": forward.incident_date, "tags_raw": f"#SatuPintu #SP{forward.number}",
        **_reporter(forward, settings),
        "is_anonymous": forward.anonymous, "is_secret": forward.secret, "is_priority": False, "is_approval": False,
        "is_inbox": False, "priority_program_id": None, "community_id": None, "copy_externals": None,
        "info_disposition": None, "info_attachments": None,
        "attachments": f"[{','.join(map(str, files))}]." if files else False,
    }  # fmt: skip


def disposition_body(forward: Forward, target: int) -> dict[str, Any]:
    """Call 5: "bukan wewenang", to the institution that can act."""
    name = next((office.name for office in forward.offices if office.name), None)
    why = forward.text if forward.what == "disposition" else ""  # the complaint's own words stand there already
    words = f"Diteruskan kepada {name or 'instansi yang berwenang'}. {why}".strip()
    return {
        "is_request": 1, "reason": str(target), "not_authority": 1,
        "reason_description": f"{words[: FOLLOWUP - 40]} {mark(forward)}",
    }  # fmt: skip


def followup_texts(forward: Forward) -> list[str]:
    """The words of call 8, cut where LAPOR! takes no more; each part carries our mark."""
    end = f"\n{mark(forward)}"
    words, room = f"{_opening(forward)}{forward.text}".strip(), FOLLOWUP - len(end)
    parts: list[str] = []
    while words:
        cut = len(words) if len(words) <= room else max(words.rfind(" ", room // 2, room), room // 2)
        parts.append(words[:cut].rstrip() + end)
        words = words[cut:].lstrip()
    return parts or [f"(lampiran){end}"]


def _opening(forward: Forward) -> str:
    if forward.what == "disposition":
        return f"Diteruskan kepada {forward.offices[0].name or 'instansi lain'}. " if forward.offices else ""
    return _WORDS.get(forward.what, "")


def followup_fields(forward: Forward, settings: LaporSettings, content: str) -> dict[str, str]:
    """Call 8, without its files."""
    own = number(settings.institution_id)
    office = settings.institution_of(forward) or own
    return {
        "user_id": str(settings.user_id), "complaint_id": forward.native or "",
        "institution_from_id": _text(office if forward.what in {"answer", "question"} else None),
        "institution_to_id": _text(own if forward.what == "supplement" else None),
        "info_disposition": "", "template_code": "", "rating": "",
        "is_secret": str(int(forward.secret)), "content": content,
    }  # fmt: skip


def multipart(fields: Mapping[str, str], files: Sequence[tuple[str, ForwardedFile]]) -> tuple[str, bytes]:
    """A form with files: its media type and its bytes."""
    boundary = uuid4().hex
    parts = [_part(boundary, f'name="{name}"', "", value.encode()) for name, value in fields.items()]
    for name, file in files:
        head = f'name="{name}"; filename="{_file_name(file.name)}"'
        kind = file.media_type if re.fullmatch(r"[\w.+-]+/[\w.+-]+", file.media_type) else "application/octet-stream"
        parts.append(_part(boundary, head, f"\r\nContent-Type: {kind}", file.body))
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, f"--{boundary}--\r\n".encode()])


def fitting(files: Sequence[ForwardedFile]) -> list[ForwardedFile]:
    """The files that LAPOR! takes."""
    return [file for file in files if len(file.body) <= FILE_BYTES][:MOST_FILES]


def place_words(place: Place) -> str:
    """The place as the citizen wrote it, and as it is called."""
    words, name = place.words or "", place.name or ""
    return words if name.lower() in words.lower() else ", ".join(filter(None, (words, name)))


def local(at: datetime) -> str:
    """A time as people read it there."""
    return f"{at.astimezone(WIB):%d-%m-%Y %H:%M} WIB"


def _title(forward: Forward) -> str:
    title = " ".join((forward.title or forward.text).split()) or "Laporan warga"
    return title if len(title) <= TITLE else title[: TITLE - 1].rsplit(" ", 1)[0] + "…"


def _content(forward: Forward, missing: int) -> str:
    place = forward.place
    where = place_words(place) if place else ""
    point = f"{place.lat:.6f}, {place.lon:.6f}" if place and place.lat is not None and place.lon is not None else ""
    lines = [
        f"Lokasi: {where}" if where else "",
        f"Koordinat: {point}" if point else "",
        f"{missing} lampiran tidak dapat disertakan; lihat di Satu Pintu." if missing else "",
        f"Diterima {local(forward.at)}. Nomor Satu Pintu: {forward.number} {mark(forward)}",
    ]
    end = "\n\n" + "\n".join(filter(None, lines))
    return forward.text[: CONTENT - len(end)] + end


def _reporter(forward: Forward, settings: LaporSettings) -> dict[str, Any]:
    """The citizen, where the name and a way to reach the citizen may leave; else our own user."""
    party = forward.reporter
    if settings.reporter and party is not None and party.name and (party.phone or party.email):
        return {
            "is_new_user_slider": True, "emailUser": party.email, "nameUser": party.name, "phoneUser": party.phone,
        }  # fmt: skip
    return {"is_new_user_slider": False, "user_id": number(settings.user_id)}


def _part(boundary: str, head: str, kind: str, body: bytes) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {head}{kind}\r\n\r\n".encode() + body + b"\r\n"


def _file_name(name: str) -> str:
    """Without what would end the header."""
    return re.sub(r'[\r\n"\\/\0]', "_", name)[-100:] or "lampiran"


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
