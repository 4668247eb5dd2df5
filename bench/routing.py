"""`routing`: complaints a second through the whole stage `route` on one core, by 2,000 rules and 5,000 offices, beside
the same with the rules asked one after another. Goal: 10,000 a second."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench._table import options, tabulate
from hub.opening import tune_interpreter
from router import OfficeRegistry, RegisteredOffice, Rules, route
from router.index import RuleIndex
from router.offices_types import OfficeKind
from schemas import Category, Matched, Message, Place, Routed
from schemas.regions import region_names

REPORTS, LINEAR, RULES, OFFICES = 20_000, 1_000, 2_000, 5_000
BATCH = 500
TEXT = (
    "jalan rusak lubang lampu mati banjir air sampah macet parkir liar trotoar pasar sekolah guru puskesmas antre ktp "
    "kartu keluarga bantuan sosial listrik padam pohon tumbang selokan mampet bau asap pabrik bising malam warga sudah "
    "lama belum ada tindakan mohon segera diperbaiki terima kasih kami di depan rumah dekat kantor kelurahan sejak "
    "minggu lalu setiap hari hujan petugas tidak datang laporan sebelumnya anak terpeleset motor jatuh bahaya sekali"
)
WORDS = TEXT.split()
UNITS = ("Perhubungan", "Kesehatan", "Pendidikan", "Sosial", "Lingkungan Hidup", "Pekerjaan Umum", "Perdagangan",
         "Kependudukan dan Pencatatan Sipil", "Komunikasi dan Informatika")  # fmt: skip


def main() -> None:
    """Print the table."""
    tune_interpreter()
    chance = random.Random(9)  # the same rules and reports in every run
    codes = [code for code in region_names() if len(code) == 5]
    registry, rules = _offices(chance, codes), Rules.load(_rules(chance, codes))
    reports = [_matched(chance, codes, n) for n in range(REPORTS)]

    def measure(run: int) -> Sequence[float]:
        indexed, routed = _rate(reports, rules, registry)
        fitting = RuleIndex.fitting
        RuleIndex.fitting = RuleIndex.linear  # type: ignore[method-assign]
        try:
            linear, same = _rate(reports[:LINEAR], rules, registry)
        finally:
            RuleIndex.fitting = fitting  # type: ignore[method-assign]
        assert routed[:LINEAR] == same
        return indexed, linear, _rate(reports, Rules.load(), registry)[0]

    print(f"{REPORTS:,} complaints, {RULES:,} rules, {len(registry):,} offices; complaints a second on one core")
    tabulate(
        {"indexed (10,000)": ",.0f", "one after another": ",.0f", "shipped rule": ",.0f"}, measure, options(3).runs
    )


def _rate(reports: Sequence[Matched], rules: Rules, registry: OfficeRegistry) -> tuple[float, list[Routed]]:
    found: list[Routed] = []
    began = time.thread_time()
    for start in range(0, len(reports), BATCH):
        found += route(reports[start : start + BATCH], rules, registry)
    return len(reports) / (time.thread_time() - began), found


def _offices(chance: random.Random, codes: list[str]) -> OfficeRegistry:
    found = []
    for n in range(OFFICES - len(codes)):
        code, unit = codes[n % len(codes)], UNITS[n // len(codes)]
        kind: OfficeKind = "unit"
        name = f"Dinas {unit} {region_names()[code]}"
        found.append(
            RegisteredOffice(
                id=f"u{n}", name=name, kind=kind, regions=(code,), aliases=(f"dinas {unit} {n}",),
                matters=(str(chance.randrange(900)),),
            )
        )  # fmt: skip
    return OfficeRegistry(found)


def _rules(chance: random.Random, codes: list[str]) -> str:
    return "".join(f'[[rule]]\nname = "r{n}"\n{_when(chance, codes)}' for n in range(RULES))


def _when(chance: random.Random, codes: list[str]) -> str:
    when = [f'region = "{chance.choice(codes)}"' if chance.random() < 0.8 else 'channel = "whatsapp"']
    when.append(f'category = "{chance.randrange(900)}"' if chance.random() < 0.4 else _words(chance))
    if chance.random() < 0.1:
        when.append('not = { channel = "sms" }')
    office = f'office = {{ id = "u{chance.randrange(4000)}" }}'
    return f'when = {{ {", ".join(when)} }}\n{office}\nwhy = "{{word}} {{office}}"\n'


def _words(chance: random.Random) -> str:
    return f'words = ["{" ".join(chance.sample(WORDS, 2))}", "{" ".join(chance.sample(WORDS, 2))}"]'


def _matched(chance: random.Random, codes: list[str], n: int) -> Matched:
    text = " ".join(chance.choices(WORDS, k=40))
    if chance.random() < 0.1:
        text = f"Yth. Dinas {chance.choice(UNITS)} {region_names()[chance.choice(codes)]}, {text}"
    message = Message(
        id=f"sms/sms/{n}", raw=str(n), account="sms", channel=chance.choice(("sms", "whatsapp", "web")), owner="32.73",
        conversation=str(n), received_at=datetime(2026, 1, 5, tzinfo=UTC), title=" ".join(chance.choices(WORDS, k=6)),
        text=text, place=Place(code=f"{chance.choice(codes)}.01"), category=Category(id=str(chance.randrange(900))),
    )  # fmt: skip
    return Matched(id=str(n), number="1234567897", outcome="recorded", message=message)


if __name__ == "__main__":
    main()
