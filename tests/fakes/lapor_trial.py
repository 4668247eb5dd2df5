"""A LAPOR! of one's own, to try an account with: no complaint reaches the national record.

    python -m tests.fakes.lapor_trial [PORT]

It prints what to enter. `GET /trial` shows the complaints that stand there; `POST /trial/ID/answer` with some words
answers one as its institution would, `POST /trial/ID/status` with a name (Dalam Proses, Selesai, …) sets its status,
`POST /trial/silent` has the next complaint taken and not answered, as LAPOR! sometimes does.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from schemas.regions import region_names
from tests.fakes.lapor import AUTH, TOKEN, Complaint, LaporServer
from tests.fakes.server import Behaviour, Fault, Received, answer

PORT = 8311
UNITS = ("Pekerjaan Umum", "Perhubungan", "Kesehatan", "Pendidikan", "Sosial", "Lingkungan Hidup", "Perdagangan",
         "Kependudukan dan Pencatatan Sipil", "Komunikasi dan Informatika")  # fmt: skip
CREATE = "/complaints/complaint"
FIRST = 150_001
"""The first id of an institution: a region's government, then its units."""
SETTINGS = """\
url = "{url}"
token = "{token}"
auth_value = "{auth}"
"""


class TrialServer(LaporServer):
    """As LAPOR!, and with pages of its own for the one who tries it. Times are those of the machine."""

    def __init__(self, port: int) -> None:
        super().__init__(port=port)
        self.silent = False
        self._next = 7_000_000 + int(time.time()) % 1_000_000  # started anew, it gives no id twice
        self.institutions = [{"id": FIRST + n, "name": name} for n, name in enumerate(_institutions())]

    def _tick(self) -> datetime:
        self._at = max(self._at + timedelta(seconds=1), datetime.now(UTC))
        return self._at

    def _respond(self, received: Received) -> Behaviour:
        if received.path == "/trial":
            return answer(200, self._shown(), content_type="text/plain; charset=utf-8")
        if found := re.fullmatch(r"/trial/(\d+)/(answer|status)", received.path):
            return self._act(found[1], found[2], received.body.decode(errors="replace").strip())
        if received.path == "/trial/silent":
            self.silent = True
            return answer(200, "laporan berikutnya diterima tanpa dijawab\n")
        behaviour = super()._respond(received)
        if self.silent and received.path == CREATE:
            self.silent = False
            return Fault.DROP
        return behaviour

    def _act(self, id: str, act: str, words: str) -> Behaviour:
        if id not in self.complaints:
            return answer(404, f"tidak ada laporan {id}\n")
        if not words:
            return answer(400, "tulis kata-katanya: curl -d 'Sudah kami perbaiki.' …\n")
        if act == "answer":
            self.say(id, words)
        else:
            self.set_status(id, words)
        return answer(200, f"{id}: {words}\n")

    def _shown(self) -> str:
        with self._lock:
            lines = [line for complaint in self.complaints.values() for line in _lines(complaint)]
        return "\n".join(lines or ["belum ada laporan"]) + "\n"


def _institutions() -> Iterator[str]:
    """Some 5,000."""
    names = list(region_names().items())
    yield from (f"Pemerintah {name if len(code) > 2 else f'Provinsi {name}'}" for code, name in names)
    yield from (f"Dinas {unit} {name}" for unit in UNITS for code, name in names if len(code) > 2)


def _lines(complaint: Complaint) -> Iterator[str]:
    body = complaint.body
    yield f"{complaint.id}  {complaint.status}  instansi {complaint.disposition or '-'}"
    yield f"  pelapor: {body.get('nameUser') or 'pengguna ' + str(body.get('user_id'))}"
    yield from (f"  | {line}" for line in complaint.text.splitlines())
    for said in complaint.followups:
        yield f"  {said['created_at']} {said['institution_from_name'] or 'pelapor'}: {said['content']}"


def main() -> None:
    """The command."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else PORT
    with TrialServer(port) as lapor:
        print(SETTINGS.format(url=lapor.url, token=TOKEN, auth=AUTH))
        print(f"# laporan yang masuk: curl {lapor.url}/trial", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
