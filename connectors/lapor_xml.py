"""SP4N-LAPOR!'s older write API, addstream: one free text as XML, answered with a tracking id.

Nothing can be read there: no search, no status, no answer. A create without an answer waits for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from lxml import etree

from connectors._forwards import ForwardCall, Forwards, NeedsPerson, StepResult
from connectors._http import HttpRequest
from connectors._lapor_body import local, mark, place_words
from connectors._port import Item, ProviderConnections
from connectors._request import Part, Payload
from connectors._settings import Secret, Settings
from schemas import Forward, Raw, Reject, Unanswered
from schemas.regions import is_inside

CREATE = "create"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class LaporXmlSettings(Settings, frozen=True, kw_only=True):
    url: str = "https://www.lapor.go.id/api/stream/addstream"
    """Address of the call."""
    token: Secret = Secret("")
    """The GUID, with its braces."""
    regions: tuple[str, ...] = ()
    """As of kind `lapor`."""
    withhold: tuple[str, ...] = ()
    """As of kind `lapor`."""


class LaporXml(Forwards):
    kind = "lapor-xml"
    settings_type = LaporXmlSettings
    national = True
    outbound_settings = ("url", "token")
    url_settings = ("url",)
    template = """\
# token = "env:LAPOR_TOKEN"             # {GUID}, issued by LAPOR!'s admin
# regions = ["34.04"]                   # empty: every region's complaints go there
"""
    takes: ClassVar = frozenset({"complaint"})

    @property
    def system(self) -> str:
        return "sp4n"

    @property
    def withholds(self) -> frozenset[str]:
        return frozenset(self.settings.withhold)

    def setup_help(self, url: str) -> str:
        return (
            "the older API of LAPOR!: only where the current one (kind lapor) is not to be had; enter its GUID as token"
        )

    def wants(self, forward: Forward) -> bool:
        regions = self.settings.regions
        return not regions or any(is_inside(forward.region, region) for region in regions)

    def parts(self, payload: Payload) -> Iterable[Part]:
        raise Reject("nothing_to_read", "this API of LAPOR! says nothing by itself")

    def read(self, part: Part, raw: Raw) -> Item:
        raise Reject("nothing_to_read", "this API of LAPOR! says nothing by itself")

    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]:
        return [CREATE]

    async def do_step(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult:
        self.require_outbound()
        body = report_xml(call.forward, self.settings.token.reveal())
        answer = await outbound.http.send(
            HttpRequest(self.settings.url, "POST", content=("text/xml; charset=UTF8", body), timeout=150.0)
        )
        tracking, transaction = _ids(answer.body)
        if not tracking:
            fault = Unanswered("answered without a tracking id: it may have been created")
            fault.answer = answer.body[:4000].decode("utf-8", "replace")
            raise fault
        return StepResult({"id": tracking, "transaction": transaction}, tracking)

    async def look_up(self, step: str, call: ForwardCall, outbound: ProviderConnections) -> StepResult | None:
        raise NeedsPerson(
            "LAPOR! did not answer whether it took this complaint, and this API cannot be asked: look there for our "
            "number, then satupintu forwards stands JOB ID, or satupintu forwards again JOB"
        )


def report_xml(forward: Forward, token: str) -> bytes:
    """The document; every value is escaped, and what XML cannot hold is left out."""
    root = etree.Element("lapor", token=token)
    reporter, party = etree.SubElement(root, "pelapor"), forward.reporter
    first, _, last = ((party.name if party else None) or "").strip().partition(" ")
    fields = {
        "email": (party.email if party else None) or "", "telpon": (party.phone if party else None) or "",
        "namadepan": first, "namabelakang": last,
    }  # fmt: skip
    for name, value in fields.items():
        etree.SubElement(reporter, name).text = _NOT_XML.sub("\ufffd", value)
    flags = {"rahasia": str(int(forward.secret)), "anonim": str(int(forward.anonymous))}
    report = etree.SubElement(root, "laporan", flags)
    etree.SubElement(report, "isi").text = _NOT_XML.sub("\ufffd", _words(forward))
    return bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))


def _words(forward: Forward) -> str:
    where = place_words(forward.place) if forward.place else ""
    lines = [
        forward.title, forward.text, f"Lokasi: {where}" if where else "",
        f"Waktu kejadian: {forward.incident_date}" if forward.incident_date else "",
        f"Diterima {local(forward.at)}. Nomor Satu Pintu: {forward.number} {mark(forward)}",
    ]  # fmt: skip
    return "\n".join(dict.fromkeys(filter(None, lines)))


def _ids(body: bytes) -> tuple[str, str]:
    """Tracking id and transaction id; empty where they are missing."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError):
        return "", ""
    return tuple((root.findtext(f".//{name}") or "").strip() for name in ("trackingid", "transaksiid"))  # type: ignore[return-value]
