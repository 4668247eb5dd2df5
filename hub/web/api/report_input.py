"""The body of `POST /api/v1/reports`. The rules of its fields are those of `connectors._report.Report`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from connectors._report import Report, ReportPlace
from connectors._rows import PLACE_FIELDS
from hub.web.api.struct_fields import model_fields, optional_field
from hub.web.translations import TranslatableText, has_translation
from normalizer.clean import is_blank
from normalizer.phones import is_placeholder, to_e164
from schemas.regions import is_region

FEWEST_DIGITS = 8
"""Of a phone number that somebody can call."""
_MISTAKES = {
    "phone": "error_phone", "email": "error_email", "incident_date": "error_date",
    "nik": "error_nik", "latitude": "error_place", "longitude": "error_place", "place": "error_place",
    "region": "error_region",
}  # fmt: skip
_BY_TYPE = {
    "missing": "error_text_missing", "string_too_short": "error_text_missing", "extra_forbidden": "error_unknown_field",
}  # fmt: skip
"""By pydantic's name of the fault; only the text is required, or has a least length."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


class _Input(BaseModel):
    """An unknown field is refused, an empty one is left out: a form sends all of its fields."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, values: Any) -> Any:
        return {k: v for k, v in values.items() if v is not None and v != ""} if isinstance(values, dict) else values


class _PlaceFields(_Input):
    """What a place must be beside its types."""

    @field_validator("code", check_fields=False)
    @classmethod
    def _is_known(cls, code: str | None) -> str | None:
        return _region(code)


class _ReportFields(_Input):
    """What a report's fields must be beside their types."""

    @field_validator("text", check_fields=False)
    @classmethod
    def _has_words(cls, text: str) -> str:
        if is_blank(text):
            raise PydanticCustomError("error_text_missing", "nothing that can be seen")
        return text

    @field_validator("phone", check_fields=False)
    @classmethod
    def _can_be_called(cls, phone: str) -> str:
        if is_placeholder(phone):  # no phone, said so: it stays as written, and is nobody's
            return phone
        if sum(c.isdigit() for c in phone) < FEWEST_DIGITS or to_e164(phone) is None:
            raise PydanticCustomError("error_phone", "no phone number")
        return phone

    @field_validator("email", check_fields=False)
    @classmethod
    def _can_be_written_to(cls, email: str) -> str:
        if not _EMAIL.fullmatch(email):
            raise PydanticCustomError("error_email", "no address that mail reaches")
        return email

    @field_validator("sender", check_fields=False)
    @classmethod
    def _is_phone_or_email(cls, sender: str) -> str:
        return cls._can_be_written_to(sender) if "@" in sender else cls._can_be_called(sender)

    @field_validator("region", check_fields=False)
    @classmethod
    def _is_known(cls, code: str | None) -> str | None:
        return _region(code)

    @field_validator("incident_date", check_fields=False)
    @classmethod
    def _is_past(cls, day: str, info: ValidationInfo) -> str:
        today: date | None = (info.context or {}).get("today")
        try:
            past = today is None or date.fromisoformat(day) <= today
        except ValueError:
            past = False
        if not past:
            raise PydanticCustomError("error_date", "no day, or a day to come")
        return day

    @model_validator(mode="after")
    def _has_both_coordinates(self) -> _ReportFields:
        place = self._place()
        if (place.get("lat") is None) != (place.get("lon") is None):
            raise PydanticCustomError("error_place", "one coordinate without the other")
        return self

    def report_fields(self) -> dict[str, Any]:
        """The fields of `Report`, without its id and its files."""
        values = self.model_dump(exclude_unset=True, exclude={"place", "sender", *PLACE_FIELDS})
        if sender := getattr(self, "sender", None):
            values["email" if "@" in sender else "phone"] = sender
        if place := self._place():
            values["place"] = ReportPlace(**place)
        return values | {"tags": tuple(values.get("tags", ()))}

    def _place(self) -> dict[str, Any]:
        place = getattr(self, "place", None)
        found: dict[str, Any] = place.model_dump(exclude_none=True) if place else {}
        own = {part: getattr(self, name, None) for name, part in PLACE_FIELDS.items()}
        return found | {part: value for part, value in own.items() if value is not None}


PlaceInput = create_model("PlaceInput", __base__=_PlaceFields, **model_fields(ReportPlace))
_Place: Any = Annotated[  # a plain word is the place in words
    PlaceInput,
    BeforeValidator(
        lambda place: {"words": place} if isinstance(place, str) else place, json_schema_input_type=PlaceInput | str
    ),
]
_Uploads: Any = Annotated[
    list[Annotated[str, Field(max_length=300)]],
    Field(max_length=5, description="Finished uploads, by id or address; callers with a key only."),
]
ReportInput: type[_ReportFields] = create_model(
    "ReportInput",
    __base__=_ReportFields,
    **model_fields(Report, without=frozenset({"native", "files", "place", "supplement", "device"})),
    place=(_Place | None, None),
    sender=(Annotated[str, Field(max_length=254)] | None, None),
    uploads=(_Uploads, ()),
    **{name: optional_field(ReportPlace, part) for name, part in PLACE_FIELDS.items()},
)
"""The body of `POST /api/v1/reports`: `Report` without its id and its files, and the names that rows have."""


def _region(code: str | None) -> str | None:
    if code is not None and not is_region(code):
        raise PydanticCustomError("error_region", "no region has this code")
    return code


def validate_report(values: Mapping[str, Any], today: date, *, strict: bool) -> _ReportFields:
    """`strict`: JSON, where no type is taken for another; a form has only words. Raises pydantic's ValidationError."""
    return ReportInput.model_validate(dict(values), strict=strict, context={"today": today})


def field_errors(error: ValidationError, values: Mapping[str, Any]) -> dict[str, TranslatableText]:
    """What is wrong, by the name that was sent."""
    return {_name(e, values): _text(e) for e in error.errors(include_url=False, include_input=False)}


def _name(error: ErrorDetails, values: Mapping[str, Any]) -> str:
    where = [str(part) for part in error["loc"]] or ["place"]
    if where[0] == "place" and len(where) > 1 and isinstance(values.get("place"), dict):
        return f"place.{where[-1]}"
    return where[0]


def _text(error: ErrorDetails) -> TranslatableText:
    if error["type"] == "string_too_long":
        return TranslatableText("error_too_long", {"limit": error["ctx"]["max_length"]})
    if error["type"] == "too_long" and error["loc"][0] == "uploads":
        return TranslatableText("error_too_many_files")
    if error["type"] in _BY_TYPE:
        return TranslatableText(_BY_TYPE[error["type"]])
    if has_translation(error["type"]):  # raised above, under the name of its sentence
        return TranslatableText(error["type"])
    return TranslatableText(_MISTAKES.get(str((error["loc"] or ("",))[0]), "error_value"))
