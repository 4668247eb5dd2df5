"""Updates of Telegram's as citizens cause them: mostly words, some pictures with a caption, a place now and then."""

from __future__ import annotations

from typing import Any

WORDS = "Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh minggu ini, tolong diperbaiki. "
CITIZENS = 5000


def update(number: int) -> dict[str, Any]:
    """Update `number`, counted from 1."""
    citizen = 811_000_000 + number % CITIZENS
    person = {"id": citizen, "is_bot": False, "first_name": "Warga", "last_name": str(number), "language_code": "id"}
    message: dict[str, Any] = {
        "message_id": number,
        "from": person,
        "chat": {"id": citizen, "type": "private", "first_name": "Warga"},
        "date": 1_755_400_000 + number,
    }
    if number % 10 == 0:
        sizes = [{"file_id": f"f{number}-{w}", "file_unique_id": "u", "width": w, "height": w} for w in (90, 320, 1280)]
        message |= {"photo": sizes, "caption": f"{WORDS}{number}"}
    elif number % 25 == 1:
        message |= {"location": {"latitude": -6.9, "longitude": 107.6}}
    else:
        message |= {"text": f"{WORDS}{number}"}
    return {"update_id": number, "message": message}
