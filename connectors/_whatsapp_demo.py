"""The webhook that brings a message of an invented citizen to the demo, as Meta would make it."""

from __future__ import annotations

from typing import Any

from connectors._demo import DemoItem
from connectors._json import Json


def demo_webhook(item: DemoItem, number: str) -> Json:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "622100001708", "phone_number_id": number},
        "contacts": [{"profile": {"name": item.name}, "wa_id": item.phone}],
        "messages": [
            {
                "from": item.phone,
                "id": f"wamid.{item.id}",
                "timestamp": str(int(item.at.timestamp())),
                **_demo_content(item),
            }
        ],
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def _demo_content(item: DemoItem) -> dict[str, Any]:
    match item.form:
        case "image":
            return {
                "type": "image",
                "image": {"mime_type": "image/jpeg", "id": f"media.{item.id}", "caption": item.text},
            }
        case "location":
            return {"type": "location", "location": {"latitude": item.lat, "longitude": item.lon}}
        case "sticker":
            return {"type": "sticker", "sticker": {"mime_type": "image/webp", "id": f"media.{item.id}"}}
    return {"type": "text", "text": {"body": item.text}}
