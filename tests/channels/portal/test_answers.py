"""A portal is told once: what may have arrived is looked for by our mark, and our words coming back are an echo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import Forbidden, ForwardCall, ForwardedFile, ProviderConnections, Request, Secret
from connectors.portal import TELL
from schemas import AccountFault, Forward, Reject, Retry, Unanswered
from tests.channels.portal.accounts import MANIFEST, NOW, account, items, sweep
from tests.fakes.portal import PortalServer
from tests.fakes.server import Accepted, Fault, answer

KEY = "whsec_" + "c2F0dXBpbnR1LXJhaGFzaWEtdWppLWNvYmE="


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


async def no_files() -> Sequence[ForwardedFile]:
    return ()


def call(number: int = 1, text: str = "Sudah ditangani {native}", after: float = 0.0, **known: Any) -> ForwardCall:
    given = {"what": "answer", "number": "4719360285", "reference": f"4719360285-{number:08x}", "native": f"A{number}"}
    forward = Forward(at=NOW, text=text, **given | known)
    return ForwardCall(forward, {}, no_files, NOW, NOW + timedelta(seconds=after))


async def test_a_status_is_looked_up_for_the_comparison(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    portal.add("aduan", nomor="A1", uraian="Lampu mati", status="selesai")
    portal.add("aduan", nomor="A2", uraian="Lampu mati", status="Ditunda")
    assert await door.status_of("A1", outbound) == "done"
    assert await door.status_of("A3", outbound) is None
    with pytest.raises(NotImplementedError):  # a word that the manifest does not know says nothing
        await door.status_of("A2", outbound)


async def test_an_answer_is_told_with_our_mark(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    await door.do_step(TELL, call(status="done"), outbound)
    assert portal.told == [
        {"id": "t1", "nomor": "A1", "isi": "Sudah ditangani {native} [SP 4719360285-00000001]", "status": "Selesai"}
    ]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_call_without_an_answer_is_looked_for(
    arrived: bool, portal: PortalServer, outbound: ProviderConnections
) -> None:
    door = account(portal.url)
    await door.poll(None, outbound)  # it is logged in
    portal.then(Accepted(Fault.DROP) if arrived else Fault.DROP)
    with pytest.raises(Unanswered):
        await door.do_step(TELL, call(), outbound)
    with pytest.raises(Retry):
        await door.look_up(TELL, call(after=1), outbound)
    found = await door.look_up(TELL, call(after=60), outbound)
    assert (found is not None) == arrived == (len(portal.told) == 1)


async def test_a_portal_that_says_no_is_believed(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    await door.poll(None, outbound)
    portal.then(answer(200, {"ok": False, "pesan": "ditolak"}))
    with pytest.raises(Reject) as fault:
        await door.do_step(TELL, call(), outbound)
    assert fault.value.code == "refused_by_portal"


async def test_a_number_with_a_slash_is_one_part_of_the_path(
    portal: PortalServer, outbound: ProviderConnections
) -> None:
    await account(portal.url).do_step(TELL, call(native="123/ADU/2026"), outbound)
    assert portal.received[-1].path == "/tanggapan/123%2FADU%2F2026"


@pytest.mark.parametrize(("said", "taken"), [(True, True), (1, True), ("ya", True), (0, False), ("gagal", False)])
async def test_a_success_is_said_in_the_words_of_portals(
    said: object, taken: bool, portal: PortalServer, outbound: ProviderConnections
) -> None:
    door = account(portal.url)
    await door.poll(None, outbound)
    portal.then(answer(200, {"ok": said}))
    with nullcontext() if taken else pytest.raises(Reject):
        await door.do_step(TELL, call(), outbound)


async def test_it_wants_what_the_manifest_has_a_call_for() -> None:
    door = account("")
    assert door.wants(call().forward)
    assert not door.wants(call(what="complaint").forward)
    assert [len(door.steps(call(what=what).forward, {})) for what in ("answer", "disposition")] == [1, 0]


async def test_our_own_words_coming_back_are_an_echo(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    await door.do_step(TELL, call(), outbound)
    portal.add("balasan", id=1, aduan="A1", isi=portal.told[0]["isi"])
    portal.add("balasan", id=2, aduan="A1", isi="Dari kami sendiri")
    requests, _ = await sweep(door, None, outbound)
    assert [one.refusal for one in items(door, requests)] == ["an echo of our own", None]


async def test_a_complaint_of_ours_in_its_list_names_our_number(
    portal: PortalServer, outbound: ProviderConnections
) -> None:
    portal.add("aduan", nomor="A9", uraian="Lampu mati [SP 4719360285]")
    requests, _ = await sweep(account(portal.url), None, outbound)
    [echo] = items(account(portal.url), requests)
    assert (echo.refusal, echo.number, echo.external_ids) == ("an echo of our own", "4719360285", {"rekam": "A9"})


@pytest.mark.slow
async def test_300_answers_arrive_once_each_through_faults(outbound: ProviderConnections) -> None:
    """A call that may have arrived is looked for until it is known; only then is it made again."""
    with PortalServer(faults=Random(7), token_calls=50) as portal:
        door = account(portal.url)
        for number in range(300):
            await tell_until_known(door, number, outbound)
        assert sorted(int(row["nomor"][1:]) for row in portal.told) == list(range(300))


async def tell_until_known(door: Any, number: int, outbound: ProviderConnections) -> None:
    in_doubt = False
    for _ in range(200):
        try:
            if in_doubt and await door.look_up(TELL, call(number, after=60), outbound):
                return
            in_doubt = False
            await door.do_step(TELL, call(number), outbound)
            return
        except Unanswered:
            in_doubt = True
        except (Retry, AccountFault):
            continue
    raise AssertionError("it was never told")


def pushing(tmp_path: Path, push: str, secret: str) -> Any:
    manifest = tmp_path / "m.toml"
    manifest.write_text(f'{Path(MANIFEST).read_text()}\n[push]\nstream = "aduan"\n{push}\n')
    return account("", str(manifest), push_secret=Secret(secret))


BODY = b'{"results": [{"nomor": "A1", "uraian": "Jalan rusak"}]}'
AT = str(int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("push", "secret", "header"),
    [('type = "key"', "rahasia", "x-api-key"), ('type = "hmac-sha256"\nheader = "X-Sig"', "rahasia", "x-sig"),
     ('type = "hmac-sha256"\nheader = "X-Sig"\nprefix = "sha256="\nbase64 = true', "rahasia", "x-sig"),
     ('type = "standard-webhooks"', KEY, "webhook-signature")],
)  # fmt: skip
def test_a_push_is_proven(tmp_path: Path, push: str, secret: str, header: str) -> None:
    door = pushing(tmp_path, push, secret)
    proof = {name: value for name, value in proofs(secret, push).items() if name.startswith(("webhook-", header))}
    good = Request(headers=proof, body=BODY)
    door.verify(good)
    for wrong in (
        replace(good, body=BODY + b" ") if "key" not in push else replace(good, headers={}),
        replace(good, headers={}),
        replace(good, headers=proof | {header: "v1,x"}),
    ):
        with pytest.raises(Forbidden):
            door.verify(wrong)
    if "standard" in push:
        door.now = lambda: NOW + timedelta(minutes=6)
        with pytest.raises(Forbidden):
            door.verify(good)


def proofs(secret: str, push: str) -> dict[str, str]:
    """As OpenSSL made them, `openssl dgst -sha256 -hmac`, for BODY, this secret and this time."""
    if "standard" in push:
        return {"webhook-id": "m1", "webhook-timestamp": AT, "webhook-signature": f"v1,AAAA {STANDARD}"}
    return {"x-api-key": secret, "x-sig": f"sha256={IN_BASE64}" if "base64" in push else IN_HEX}


IN_HEX = "125c7327e42cf7a645c844aae67616fbaaf5f666dd217f2ec326864c07815da0"
IN_BASE64 = "ElxzJ+Qs96ZFyESq5nYW+6r19mbdIX8uwyaGTAeBXaA="
STANDARD = "v1,cjohhKBczB+6+Vq1Iwa9j9Z7I3jYNDlncSTyA84ucHI="
