"""The words of a mail without the mail that it answers and without signatures: line by line, in linear time.

What is forwarded stays: the complaint stands below such a line. A line is taken for the head of a quote only with
evidence of a mail program: an address in brackets, or a block of header fields with a time. A citizen who writes "Pada
hari Selasa petugas datang dan menulis:" or "Dari: terminal sampai pasar" is left alone. Where nothing would be left,
all stays. A mail that answers none quotes nothing of ours: what stands below such a line is what its writer shows us,
as Outlook forwards under a subject of one's own.
"""

from __future__ import annotations

import re

MOST_LINES = 5_000
"""Lines that are looked at; later ones stay as they are."""
_LINE = 500
"""Characters of a line that are looked at."""
_JOINED = 3
"""Lines over which a mail program breaks the head of a quote."""
_FIELDS_AHEAD = 8
_SIGNATURE_LINES = 12

_DECORATION = " \t\xa0>*_-:"
_FORWARD = re.compile(
    r"forwarded message|pesan terusan|pesan yang diteruskan|pesan diteruskan|begin forwarded message"
    r"|mulai pesan terusan|awal pesan terusan|diteruskan dari|forwarded by .{1,80}|email terusan",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"original message|original appointment|pesan asli|pesan awal|pesan sebelumnya|reply message|email asli|surat asli"
    r"|ursprüngliche nachricht|message d'origine|mensaje original",
    re.IGNORECASE,
)
_WROTE = re.compile(
    r"\b(?:wrote|writes|said|menulis|tulis|schrieb|a écrit|escribió|ha scritto|написал(?:\(а\))?)\s*:\s*$",
    re.IGNORECASE,
)
_OPENS = re.compile(r"[\s>*]{0,20}(?:on|pada|tanggal|le|am|el|il|op|dne)\b", re.IGNORECASE)
_TIME = re.compile(r"\b\d{1,2}[:.]\d{2}\b")
_YEAR = re.compile(r"\b(?:19|20)\d{2}\b|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2}\b")
_DATED_HEAD = re.compile(
    r"[\s>]{0,20}(?:\w{2,10}, ?)?\d{1,4}[-/. ].{0,160}[<\[][^<>\[\]\s]{1,120}@[^<>\[\]\s]{1,120}[>\]]\s*:\s*$"
)
_FROM = re.compile(r"[\s>]{0,20}\*?(?:from|dari|von|de|da|van|od|от)\*?\s*:\*?", re.IGNORECASE)
_FIELD = re.compile(
    r"[\s>]{0,20}\*?(?:from|sent|date|to|cc|bcc|subject|reply-to|importance|dari|dikirim|terkirim|tanggal|kepada|ke|untuk|tembusan"
    r"|perihal|subjek|hal|judul|von|gesendet|datum|an|betreff|de|envoyé|à|objet|enviado|para|asunto|от|кому|тема|дата)"
    r"\*?\s*:\*?",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"[\s>]{0,20}\*?(?:sent|date|dikirim|terkirim|tanggal|gesendet|datum|envoyé|enviado|дата)\*?\s*:", re.IGNORECASE
)
_RULE = re.compile(r"[\s>]{0,20}[_=-]{10,}\s*")
_DEVICE = re.compile(
    r"(?:sent from my [\w ]{1,40}|sent from (?:yahoo mail|outlook|mail|samsung|proton|aol)\b[^,]{0,60}"
    r"|get outlook for .{1,60}|dapatkan outlook untuk .{1,60}|enviado desde .{1,40}|von meinem iphone gesendet"
    r"|(?:dikirim|terkirim) (?:dari|dengan|melalui|lewat) (?:iphone|ipad|android|yahoo|outlook|e-?mail|samsung|galaxy"
    r"|ponsel|hp|xiaomi|redmi|poco|realme|infinix|huawei|oppo|vivo|perangkat|telepon|blackberry|proton|gmail|aplikasi)\b"
    r"[^,]{0,60}"
    r"|(?:virus-?free|bebas virus)\.? ?www\..{1,60}|powered by telkomsel blackberry.{0,10})",
    re.IGNORECASE,
)


def trim_reply(text: str, *, is_reply: bool, is_forward: bool = False) -> str:
    """The citizen's own words. `is_reply`: the mail answers another; only then is what it quotes left out."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    looked, rest = lines[:MOST_LINES], lines[MOST_LINES:]
    at = next((n for n, line in enumerate(looked) if is_forward_mark(line)), None)
    if is_forward or at is not None:
        end = len(looked) if at is None else at
        above = _without_quotes(looked[:end]) if is_reply and not is_forward else looked[:end]
        return "\n".join((*_without_signature(above), *looked[end:], *rest)).strip()
    kept = _without_signature(_without_quotes(looked) if is_reply else looked)
    trimmed = "\n".join((*kept, *rest)).strip()
    return trimmed or text.strip()


def is_forward_mark(line: str) -> bool:
    """Is it the line that a mail program writes above what is forwarded?"""
    line = line[:_LINE]
    return bool(_FORWARD.fullmatch(line.strip(_DECORATION))) and ("-" in line or ":" in line or "*" in line)


def _without_quotes(lines: list[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        head = _quote_head(lines, at)
        if head:
            at += head
            if not _is_quoted(lines, at):
                return kept  # all that follows is the mail that is answered
        elif lines[at].lstrip().startswith(">"):
            at += 1
        else:
            kept.append(lines[at])
            at += 1
    return kept


def _quote_head(lines: list[str], at: int) -> int:
    """How many lines the head of a quote takes here; 0: there is none."""
    line = lines[at][:_LINE]
    if not line.strip():
        return 0
    if ("--" in line or "__" in line) and _ORIGINAL.fullmatch(line.strip(_DECORATION)):
        return 1
    if _DATED_HEAD.fullmatch(line):
        return 1
    if count := _attribution(lines, at):
        return count
    if _RULE.fullmatch(line):
        after = next((n for n in range(at + 1, min(at + 4, len(lines))) if lines[n].strip()), at)
        return after - at if after > at and _is_block(lines, after) else 0
    return _block_size(lines, at) if _is_block(lines, at) else 0


def _block_size(lines: list[str], at: int) -> int:
    """The lines of a block of header fields, up to the blank line below it."""
    end = at
    while end < len(lines) and end - at < 3 * _FIELDS_AHEAD and lines[end].strip():
        end += 1
    return end - at


def _attribution(lines: list[str], at: int) -> int:
    """ "Pada Sel, 3 Feb 2026 pukul 10.05 Budi <budi@…> menulis:", broken over some lines."""
    opens = bool(_OPENS.match(lines[at][:40]))
    joined = ""
    for count, line in enumerate(lines[at : at + _JOINED], 1):
        joined = f"{joined} {line[:_LINE].strip()}".strip()
        if not line.strip() or len(joined) > _LINE:
            return 0
        if _WROTE.search(joined):
            dated = bool(_TIME.search(joined) and _YEAR.search(joined))
            evident = _has_address(joined) and (opens or count == 1)
            return count if evident or (opens and dated and _is_quoted(lines, at + count)) else 0
        if not opens:
            return 0
    return 0


def _is_block(lines: list[str], at: int) -> bool:
    """Do header fields of a mail stand here, with an address or a time among them?"""
    first = lines[at][:_LINE]
    if not (_FROM.match(first) or _SENT.match(first)):
        return False
    block = [line[:_LINE] for line in lines[at : at + _FIELDS_AHEAD]]
    fields = [line for line in block if _FIELD.match(line)]
    sender = any(map(_FROM.match, fields))
    sent = [line for line in fields if _SENT.match(line)]
    timed = any(_TIME.search(line) and _YEAR.search(line) for line in sent)
    addressed = any(map(_has_address, fields))
    return sender and len(fields) >= 3 and bool(sent) and (timed or addressed)


def _has_address(line: str) -> bool:
    return any("@" in word[1:-1] for word in line.split())


def _is_quoted(lines: list[str], at: int) -> bool:
    following = (line for line in lines[at : at + 4] if line.strip())
    return next(following, "").lstrip().startswith(">")


def _without_signature(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    for at in range(end - 1, max(-1, end - _SIGNATURE_LINES - 1), -1):
        line = lines[at][:_LINE].strip(" \t*_<>[]")
        if lines[at].rstrip("\r") in {"-- ", "--", "--\xa0"} or _DEVICE.fullmatch(line):
            end = at
    return lines[:end] if any(line.strip() for line in lines[:end]) else lines
