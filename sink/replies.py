"""What the hub tells citizens, in Indonesian. Plain letters and signs, so that an SMS carries them as GSM-7, in two
segments at most (306 characters).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Template = Literal["number_given", "added", "status", "unknown_number"]

_TEXTS: dict[Template, str] = {
    "number_given": "Terima kasih, laporan Anda kami terima dengan nomor {number}. "
    "Kirim CEK {number} untuk melihat status, TL {number} lalu pesan Anda untuk menambah keterangan.",
    "added": "Terima kasih, pesan Anda sudah kami tambahkan pada laporan nomor {number}.",
    "status": "Laporan nomor {number} {status}. Kirim TL {number} lalu pesan Anda untuk menambah keterangan.",
    "unknown_number": "Mohon maaf, nomor laporan itu tidak kami temukan. "
    "Silakan periksa kembali 10 angka yang Anda terima, atau kirim laporan baru.",
}
_STATUSES = {
    "unverified": "sudah kami terima dan menunggu verifikasi",
    "verified": "sudah diverifikasi dan diteruskan kepada instansi yang berwenang",
    "in_progress": "sedang ditindaklanjuti oleh instansi yang berwenang",
    "done": "sudah selesai ditindaklanjuti",
    "archived": "sudah diarsipkan",
    "rejected": "tidak dapat kami tindak lanjuti",
    "unknown": "sedang kami periksa",
}
_MISSING = {
    "text": "Mohon ceritakan apa yang terjadi.",
    "place": "Mohon sebutkan lokasinya (jalan, kelurahan atau desa, kota atau kabupaten).",
}


def words(template: Template, *, number: str = "", status: str = "unknown", missing: Collection[str] = ()) -> str:
    """The text of a reply: `status` as the citizen should hear it, and a sentence for each thing to ask for."""
    told = _TEXTS[template].format(number=number, status=_STATUSES.get(status, _STATUSES["unknown"]))
    return " ".join([told, *(_MISSING[name] for name in missing if name in _MISSING)])
