"""SP4N-LAPOR! as its clients describe it, on a real socket: both APIs, with the faults that they have seen."""

from __future__ import annotations

import email.parser
import json
import random
import re
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import HttpResponse
from tests.fakes.server import Behaviour, Fault, Received, Server, answer

TOKEN = "{0A1B2C3D-1111-2222-3333-444455556666}"
AUTH = "Bearer rahasia-lapor"
PAGE = 10
FAULTS = ("500 after", "drop after", "no id", "429", "reset before")
"""What may become of a request that changes something."""


@dataclass
class Complaint:
    """A complaint as LAPOR! has it."""

    id: str
    body: dict[str, Any]
    status: str = "Belum Terverifikasi"
    disposition: str = ""
    followups: list[dict[str, Any]] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)
    status_logs: list[dict[str, Any]] = field(default_factory=list)
    shifted: int = 0
    """How often its pages moved while they were read."""

    @property
    def text(self) -> str:
        return str(self.body.get("content") or self.body.get("isi"))


class LaporServer(Server):
    """`with LaporServer() as lapor`: settings take `lapor.url`. Its complaints stand in `lapor.complaints`."""

    def __init__(
        self, *, port: int = 0, share: float = 0.0, seed: int = 1, delay: float = 0.0, slow: float = 0.0,
        id_at: str = "top",
    ) -> None:  # fmt: skip
        super().__init__(self._respond, port)
        self.complaints: dict[str, Complaint] = {}
        self.files: dict[int, tuple[str, bytes]] = {}
        self.share, self.delay, self.id_at = share, delay, id_at
        """Share of changing requests that fail; seconds of each answer; where the id of a create stands."""
        self.slow, self.slow_creates = slow, 0
        """One in ten creates takes up to so many seconds, and is done at their end though nobody may wait any more."""
        self.institutions = [{"id": n, "name": f"Instansi {n}"} for n in range(1, 5001)]
        self.shifts, self.page = 0, PAGE
        """So often a new follow-up moves all pages of a complaint while they are read; follow-ups on a page."""
        self.searches = True
        self.faults: dict[str, int] = dict.fromkeys(FAULTS, 0)
        self._random = random.Random(seed)
        self._lock = threading.RLock()
        self._next, self._at = 7_100_000, datetime(2025, 8, 18, 3, 0, tzinfo=UTC)

    # what people do there

    def holding(self, number: str) -> list[Complaint]:
        """The complaints with our number."""
        with self._lock:
            return [c for c in self.complaints.values() if number in c.text or number in str(c.body.get("tags_raw"))]

    def say(self, id: str, text: str, *, by: str = "Dinas Pekerjaan Umum", **more: Any) -> None:
        """An institution writes a follow-up."""
        with self._lock:
            self._add(self.complaints[id], {"institution_from_name": by, "content": text, **more})

    def set_status(self, id: str, name: str, *, by: str = "Dinas Pekerjaan Umum", late: float = 0.0) -> None:
        """An institution changes the status; `late` seconds before now by the log."""
        with self._lock:
            complaint, at = self.complaints[id], self._tick() - timedelta(seconds=late)
            data = json.dumps({"status_old": {"name": complaint.status}, "status_new": {"name": name}})
            complaint.logs.append({
                "date": wib(at), "content": "{{institution_from}} mengubah status menjadi {{ status_new }}",
                "institution_from": {"id": 9, "name": by}, "institution_to": {}, "data": data,
            })  # fmt: skip
            complaint.status_logs.append({"note": "", "timestamp": wib(at)})
            complaint.status = name

    # the API

    def _respond(self, received: Received) -> Behaviour:
        if self.delay:
            time.sleep(self.delay)
        if self.slow and received.path.startswith("/complaints/complaint"):
            self._be_slow()
        if received.path.startswith("/api/stream/addstream"):
            return self._changed(lambda: self._addstream(received))
        if received.headers.get("token") != TOKEN or received.headers.get("authorization") != AUTH:
            return answer(401, {"message": "Unauthenticated."})
        return self._get(received) if received.method == "GET" else self._changed(lambda: self._post(received))

    def _be_slow(self) -> None:
        with self._lock:
            slow = self._random.random() < 0.1
            seconds = self._random.uniform(0, self.slow) if slow else 0.0
            self.slow_creates += slow
        self.wait(seconds)

    def _changed(self, work: Callable[[], HttpResponse]) -> Behaviour:
        with self._lock:
            fault = self._random.choice(FAULTS) if self._random.random() < self.share else ""
            if fault:
                self.faults[fault] += 1
            if fault == "429":
                return answer(429, {"message": "Too Many Attempts."}, retry_after="1")
            if fault == "reset before":
                return Fault.RESET
            done = work()
        if fault == "500 after":
            return answer(500, "<html>Internal Server Error</html>")
        if fault == "no id" and done.status < 300:
            return answer(200, {"message": "Berhasil"})
        return Fault.DROP if fault == "drop after" else done

    def _post(self, received: Received) -> HttpResponse:
        path = received.path
        if path == "/complaints/complaint/file":
            return self._file(received)
        if path == "/complaints/followup/add":
            return self._followup(received)
        if found := re.fullmatch(r"/complaints/process/(\w+)/reject", path):
            return self._passed(found[1], received.json)
        if re.fullmatch(r"/complaints/complaint(-\w+)?", path):
            return self._create(received.json)
        return answer(404, "<html>nothing here</html>")

    def _create(self, body: dict[str, Any]) -> HttpResponse:
        if not body.get("title") or not body.get("content") or "classification_id" not in body:
            return answer(422, {"message": "The given data was invalid."})
        if body["attachments"] is not False and not re.fullmatch(r"\[\d+(,\d+)*\]\.", body["attachments"]):
            return answer(422, {"message": "attachments"})
        id = self._new(body)
        number = int(id)
        return answer(200, {
            "top": {"complaint_id": number}, "results": {"results": {"complaint": {"id": number}}},
            "data": {"data": {"complaint_id": number}},
        }[self.id_at])  # fmt: skip

    def _new(self, body: dict[str, Any]) -> str:
        self._next += 1
        id = str(self._next)
        self.complaints[id] = Complaint(id, body, disposition=str(body.get("disposition_id") or ""))
        return id

    def _file(self, received: Received) -> HttpResponse:
        images, docs = [], []
        for name, kind, body in form_parts(received):
            assert name == "attachments[]", name
            number = len(self.files) + 11
            self.files[number] = (kind, body)
            (images if kind.startswith("image/") else docs).append({"id": number})
        return answer(200, {"results": {"images": images, "docs": docs}})

    def _followup(self, received: Received) -> HttpResponse:
        fields = {name: body.decode() for name, kind, body in form_parts(received) if not kind}
        complaint = self.complaints.get(fields["complaint_id"])
        if complaint is None or len(fields["content"]) > 1000:
            return answer(422, {"message": "The given data was invalid."})
        sender = "Instansi kami" if fields["institution_from_id"] else ""
        self._add(complaint, {"institution_from_name": sender, "content": fields["content"]})
        return answer(200, {"message": "Berhasil"})

    def _passed(self, id: str, body: dict[str, Any]) -> HttpResponse:
        complaint = self.complaints.get(id)
        if complaint is None or body.get("not_authority") != 1 or body.get("is_request") != 1:
            return answer(422, {"message": "The given data was invalid."})
        complaint.disposition = body["reason"]
        complaint.logs.append({
            "date": wib(self._tick()), "content": "{{institution_from}} meneruskan ke {{institution_to}}",
            "institution_from": {"id": 1, "name": "Instansi kami"}, "data": "{}",
            "institution_to": {"id": int(body["reason"]), "name": f"Instansi {body['reason']}"},
        })  # fmt: skip
        self._add(complaint, {
            "institution_from_name": "Instansi kami", "institution_to_name": f"Instansi {body['reason']}",
            "template_code": "disposition", "content": body["reason_description"],
        })  # fmt: skip
        return answer(200, {"message": "Berhasil"})

    def _get(self, received: Received) -> Behaviour:
        path, page = received.path, int(received.params.get("page", 1))
        with self._lock:
            if path == "/masters/institutions/external":
                size = int(received.params.get("page_size", PAGE))
                return self._page(self.institutions, page, size)
            if path == "/complaints" and self.searches:
                found = self.holding(received.params["search"])
                return self._page([{"id": int(c.id), "content": c.text} for c in found], page, PAGE)
            if found := re.fullmatch(r"/complaints/(\w+)/(complaint|followups)", path):
                complaint = self.complaints.get(found[1])
                if complaint is None:
                    return answer(404, {"message": "Not Found"})
                if found[2] == "complaint":
                    return answer(200, {"results": {"data": detail(complaint)}})
                listed = self._page(complaint.followups[::-1], page, self.page)
                if complaint.shifted < self.shifts and page == 1 and len(complaint.followups) > self.page:
                    complaint.shifted += 1
                    self._add(complaint, {"institution_from_name": "Dinas Lain", "content": "Sedang kami tinjau."})
                return listed
        return answer(404, "<html>nothing here</html>")

    def _page(self, items: list[dict[str, Any]], page: int, size: int) -> HttpResponse:
        shown, more = items[(page - 1) * size : page * size], len(items) > page * size
        results = {"data": shown, "next_page_url": f"{self.url}/x?page={page + 1}" if more else None}
        return answer(200, {"message": "OK", "results": results})

    def _addstream(self, received: Received) -> HttpResponse:
        root = ET.fromstring(received.body)
        report = root.find("laporan")
        if root.get("token") != TOKEN or report is None:
            return answer(403, "<lapor><error>token</error></lapor>")
        id = self._new({
            "isi": report.findtext("isi"), "rahasia": report.get("rahasia"), "anonim": report.get("anonim"),
            **{element.tag: element.text for element in root.find("pelapor") or ()},
        })  # fmt: skip
        return answer(200, f"<lapor><trackingid>{id}</trackingid><transaksiid>T{id}</transaksiid></lapor>")

    def _add(self, complaint: Complaint, fields: dict[str, Any]) -> None:
        self._next_followup = getattr(self, "_next_followup", 0) + 1
        known = {
            "id": self._next_followup, "created_at": wib(self._tick()), "institution_to_name": "", "template_code": "",
            "template_content": "", "attachments": [],
        }  # fmt: skip
        complaint.followups.append(known | fields)

    def _tick(self) -> datetime:
        self._at += timedelta(seconds=1)
        return self._at


def detail(complaint: Complaint) -> dict[str, Any]:
    return {
        "id": int(complaint.id), "status_code": 1, "status_name": complaint.status,
        "status_logs": complaint.status_logs, "data_logs": complaint.logs, "disposition_id": complaint.disposition,
    }  # fmt: skip


def wib(at: datetime) -> str:
    """As LAPOR! writes a time."""
    return f"{at + timedelta(hours=7):%d-%m-%Y %H:%M:%S}"


def form_parts(received: Received) -> list[tuple[str, str, bytes]]:
    """Name, media type (empty for a field) and bytes of each part of a form."""
    head = f"Content-Type: {received.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser().parsebytes(head + received.body)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_content_type() if part.get_filename() else "",
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    ]
