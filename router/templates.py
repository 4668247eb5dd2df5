"""Answers in words. The wording is data: `templates.toml` beside this file, over which an operator's own file lies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from string import Formatter
from typing import Any, TypeVar

import msgspec

from schemas import Owed, Reject

T = TypeVar("T", bound=msgspec.Struct)

SHIPPED = Path(__file__).with_name("templates.toml")
LANGUAGE = "id"
SMS = 160
"""Characters of GSM-7 in one short message."""
GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""3GPP TS 23.038, the default alphabet without its extension table, whose letters count twice."""
_NUMBER = "0" * 10
_UNKNOWN = re.compile("Object contains unknown field (`.*`)")
_BLANKS = re.compile(" {2,}")
"""Left behind by an empty value."""
_LINKED = frozenset(
    {
        "number_given",
        "number_given_asking",
        "emergency",
        "emergency_asking",
        "joined",
        "status",
        "officer_answer",
        "question",
        "status_changed",
        "finished",
        "disagreed",
        "reopened_late",
    }
)


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The words of one answer."""

    short: str
    long: str = ""


class LanguageTemplates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All words of one language."""

    office: str = ""
    """Stands for an office without a name."""
    link: str = ""
    statuses: dict[str, str] = {}
    questions: dict[str, str] = {}
    answers: dict[str, Wording] = {}


class Templates:
    """The wording of all languages, and its version: equal data, equal version."""

    def __init__(self, languages: Mapping[str, LanguageTemplates]) -> None:
        self.languages = dict(languages)
        self.version = sha256(msgspec.json.encode(self.languages, order="deterministic")).hexdigest()[:12]

    @classmethod
    def load(cls, text: str | None = None) -> Templates:
        """The shipped wording, with that of the TOML text over it. Raises ValueError: one line that names the key and
        the fix."""
        shipped = _decoded(SHIPPED.read_text(encoding="utf-8"))
        given = {} if text is None else _decoded(text, tuple(shipped))
        for name, language in given.items():
            _check(name, language, shipped[name])
            shipped[name] = _merged(shipped[name], language)
        return cls(shipped)


def render(
    owed: Owed, templates: Templates, *, number: str | None = None, tracking_url: str | None = None, short: bool = False
) -> str:
    """The words of an answer. `short`: for one SMS, without the address of the tracking page.

    Raises Reject where no wording has the template's name.
    """
    params = {name: value if isinstance(value, str) else tuple(value) for name, value in owed.params.items()}
    language = templates.languages.get(str(params.get("language")), templates.languages[LANGUAGE])
    missing = [name for name in params.get("missing", ()) if name in language.questions]
    template = f"{owed.template}_asking" if missing and f"{owed.template}_asking" in language.answers else owed.template
    if template not in language.answers:
        raise Reject("unknown_template", f"no wording is named {template!r}: add it, then send the reply again")
    questions = " ".join(language.questions[name] for name in missing)
    wording = language.answers[template]
    words = (wording.short if short else wording.long or wording.short).format(
        number=number or "",
        status=language.statuses.get(str(params.get("status")), language.statuses["unknown"]),
        questions=questions,
        office=params.get("office") or language.office,
        text=params.get("text") or questions,
    )
    link = language.link.format(url=tracking_url) if tracking_url and not short and template in _LINKED else ""
    return f"{_BLANKS.sub(' ', words).strip()} {link}".strip()


def public_form(owed: Owed, templates: Templates) -> Owed:
    """The answer as everybody may read it: no words of an officer's, in the wording for this where there is one."""
    public = f"{owed.template}_public"
    params = {name: value for name, value in owed.params.items() if name not in {"text", "office"}}
    return Owed(template=public if public in templates.languages[LANGUAGE].answers else owed.template, params=params)


def _decoded(text: str, languages: tuple[str, ...] = ()) -> dict[str, LanguageTemplates]:
    """`languages`: none but these may be in it."""
    try:
        file = msgspec.toml.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ValueError(f"not valid TOML: {' '.join(str(error).split())}") from None
    if others := [name for name in file if languages and name not in languages]:
        known = ", ".join(languages)
        raise ValueError(f"key `{others[0]}` is no language of ours ({known}): tables are [{LANGUAGE}.answers.NAME]")
    return {name: _language(name, table) for name, table in file.items()}


def _language(name: str, table: Any) -> LanguageTemplates:
    answers = table.get("answers") if isinstance(table, dict) else None
    if isinstance(answers, dict):
        found = {answer: _converted(f"{name}.answers.{answer}", one, Wording) for answer, one in answers.items()}
        table = table | {"answers": found}
    return _converted(name, table, LanguageTemplates)


def _converted(key: str, value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        fault, _, path = str(error).partition(" - at `$")
        if unknown := _UNKNOWN.fullmatch(fault):
            fault = f"{unknown[1]} is unknown: remove it, or use one of {', '.join(kind.__struct_fields__)}"
        raise ValueError(f"key `{key}{path.strip('`')}`: {fault[:1].lower()}{fault[1:]}") from None


def _merged(shipped: LanguageTemplates, given: LanguageTemplates) -> LanguageTemplates:
    return LanguageTemplates(
        office=given.office or shipped.office,
        link=given.link or shipped.link,
        statuses=shipped.statuses | given.statuses,
        questions=shipped.questions | given.questions,
        answers=shipped.answers | given.answers,
    )


def _check(language: str, given: LanguageTemplates, shipped: LanguageTemplates) -> None:
    for table, words, known in (
        ("statuses", given.statuses, shipped.statuses),
        ("questions", given.questions, shipped.questions),
        ("answers", given.answers, shipped.answers),
    ):
        for name in words:
            if name not in known:
                raise ValueError(f"key `{language}.{table}.{name}` is unknown: use one of {', '.join(known)}")
    _check_blanks(f"{language}.link", given.link, {"url"})
    for name, wording in given.answers.items():
        allowed = set(_blanks("", shipped.answers[name].short))
        for form in ("short", "long"):
            _check_blanks(f"{language}.answers.{name}.{form}", getattr(wording, form), allowed)
    for fault in _answers_over_one_sms(_merged(shipped, given)):
        raise ValueError(f"key `{language}.{fault}")


def _answers_over_one_sms(language: LanguageTemplates) -> Iterator[str]:
    """Short answers that do not fit one SMS, a line each. Those that hold an officer's words are as long as these."""
    status = max(language.statuses.values(), key=len)
    questions = " ".join(language.questions.values())
    for name, wording in language.answers.items():
        if "{text}" in wording.short:
            continue
        words = wording.short.format(number=_NUMBER, status=status, questions=questions, office=language.office)
        if strange := sorted(set(words) - GSM_7):
            yield f"answers.{name}.short` has {strange[0]!r}, which is no letter of an SMS: use plain letters and signs"
        if len(words) > SMS:
            yield f"answers.{name}.short` has {len(words)} characters with a number: an SMS takes {SMS}"


def _check_blanks(key: str, words: str, allowed: set[str]) -> None:
    for blank in _blanks(key, words):
        if blank not in allowed:
            known = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
            raise ValueError(f"key `{key}`: no value for {{{blank}}}; there is {known}")


def _blanks(key: str, words: str) -> list[str]:
    try:
        parsed = [*Formatter().parse(words)]
    except ValueError as error:
        raise ValueError(f"key `{key}`: {error}; write {{{{ for a brace") from None
    return [name + (":" if form or turn else "") for _, name, form, turn in parsed if name is not None]
