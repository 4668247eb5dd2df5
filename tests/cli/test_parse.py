"""`parse`: what a payload means. Nothing is stored, no signature asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.program import one_line, satupintu
from tests.programs import whatsapp_body

FIELDS = {
    "id", "native_id", "conversation", "sender", "kind", "text", "title", "sent_at", "refers_to", "attachments",
    "place", "refusal",
}  # fmt: skip
SMS = "from=%2B6281200001234&to=1708&text=LAPOR+lampu+jalan+mati&id=k-1&ts=2025-07-01+08:00:00"


def parsed(*words: str, stdin: str = "") -> list[dict[str, Any]]:
    done = satupintu("parse", *words, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_sms_is_a_line_with_the_fields_of_the_interface() -> None:
    [message] = parsed("sms", "--query", SMS)
    assert set(message) == FIELDS
    assert (message["id"], message["native_id"], message["kind"]) == ("sms/sms/k-1", "k-1", "text")
    assert message["sender"]["phone"] == "+6281200001234"
    assert message["sent_at"].startswith("2025-07-01T")


def test_a_whatsapp_payload_comes_from_standard_input() -> None:
    [message] = parsed("whatsapp", "-", stdin=whatsapp_body("wamid.A", "6281200001234", "Jalan rusak").decode())
    assert message["id"] == "whatsapp/whatsapp/wamid.A"
    assert message["text"] == "Jalan rusak"


def test_without_an_id_the_same_bytes_give_the_same_id() -> None:
    query = SMS.replace("id=k-1&", "")
    assert parsed("sms", "--query", query) == parsed("sms", "--query", query)


def test_an_account_is_part_of_the_id() -> None:
    [message] = parsed("sms", "--account", "sms-bandung", "--query", SMS)
    assert message["id"] == "sms/sms-bandung/k-1"


def test_an_account_of_the_channels_file_lends_its_settings(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text(
        '[s]\nkind = "sms"\nowner = "32.73"\ntoken = "t"\n[s.keywords]\nTANGKAB = "36.03"\n'
    )
    query = "from=%2B6281200001234&to=1708&text=TANGKAB+jalan+rusak+di+pasar"
    done = satupintu("parse", "sms", "--account", "s", "--query", query, data=tmp_path)
    assert json.loads(done.stdout)["place"]["code"] == "36.03"


def test_an_account_that_the_channels_file_does_not_have_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "channels.toml").write_text('[sms-kota]\nkind = "sms"\nowner = "32.73"\ntoken = "t"\n')
    done = satupintu("parse", "sms", "--account", "sms-kot", "--query", SMS, data=tmp_path)
    assert "(did you mean sms-kota?): it has sms-kota" in one_line(done, 64)


def test_web_takes_a_report_as_the_api_does() -> None:
    body = json.dumps({"text": "jalan rusak", "sender": "0812-0000-1234", "place": "Jalan Melati"})
    [message] = parsed("web", "--header", "Idempotency-Key=k-1", stdin=body)
    assert (message["id"], message["text"], message["place"]["words"]) == ("web/web/k-1", "jalan rusak", "Jalan Melati")
    assert message["sender"]["phone"] == "+6281200001234"
    assert parsed("web", "-", stdin='{"text":"jalan rusak"}') == parsed("web", "-", stdin='{"text":"jalan rusak"}')


def test_web_takes_a_report_as_the_hub_stores_it() -> None:
    [message] = parsed("web", "-", stdin='{"native":"r-1","text":"jalan rusak"}')
    assert message["id"] == "web/web/r-1"


def test_a_report_that_the_api_refuses_is_2_and_names_the_field() -> None:
    assert "colour: " in one_line(satupintu("parse", "web", "-", stdin='{"text":"jalan rusak","colour":"red"}'), 2)


def test_a_delivery_report_is_a_receipt() -> None:
    [receipt] = parsed("sms", "--query", "dlr=1&ref=reply-1")
    assert (receipt["kind"], receipt["of"], receipt["state"]) == ("receipt", "reply-1", "delivered")


def test_no_message_in_it_is_no_fault() -> None:
    assert parsed("whatsapp", "-", stdin='{"object": "whatsapp_business_account", "entry": []}') == []


def test_a_payload_that_cannot_be_read_is_2_with_the_reason() -> None:
    assert "JSON" in one_line(satupintu("parse", "whatsapp", "-", stdin="not json"), 2)


def test_file_takes_rows() -> None:
    done = satupintu("parse", "file", "-", stdin='{"text": "Jalan rusak", "id": "1"}\n{"text": ""}\n')
    assert json.loads(done.stdout)["id"] == "file/file/1"
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_nothing_is_stored(tmp_path: Path) -> None:
    satupintu("parse", "sms", "--query", SMS, data=tmp_path / "never")
    assert not (tmp_path / "never").exists()
