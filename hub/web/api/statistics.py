"""Open data, `GET /api/v1/statistics`: numbers of reports, without anything personal, small cells left empty."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse
from starlette.requests import Request

from hub.csv_output import format_csv
from hub.web.api.models import ApiModel
from hub.web.api.problems import Problem, invalid_fields, responses
from hub.web.translations import TranslatableText
from schemas.regions import is_region
from sink.statistics import Cell, headings, open_data

router = APIRouter(prefix="/api/v1", tags=["statistics"])
WORDS = frozenset({"month", "region", "office_id", "channel", "category_id"})
MOST_WORDS = 3
FRESH = "public, max-age=300"
Statistics = Callable[..., Awaitable[Sequence[Cell]]]
Month = Annotated[str | None, Query(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


def _statistics(request: Request) -> Statistics:
    found: Statistics = request.app.state.statistics
    return found


class StatisticsRow(ApiModel):
    """The numbers of one group of reports. None: fewer than five reports, or there is nothing to say."""

    month: str | None = None
    """This and the next four only where `by` names them."""
    region: str | None = None
    office_id: str | None = None
    channel: str | None = None
    category_id: str | None = None
    received: int | None
    valid: int | None
    answered: int | None
    answered_in_time: int | None
    overdue: int | None
    finished: int | None
    reopened: int | None
    median_days: int | None
    """Working days until they were finished."""
    rating: float | None
    """Mean, 1 to 5."""
    ratings: int | None


_ROWS: dict[str, Any] = {
    "model": list[StatisticsRow], "content": {"text/csv": {"schema": {"type": "string"}}},
    "description": "A row for each group.",
}  # fmt: skip


@router.get("/statistics", response_class=JSONResponse, responses={200: _ROWS, **responses(422, 500, 503)})
async def read_statistics(
    *,
    ask: Annotated[Statistics, Depends(_statistics)],
    by: Annotated[str, Query(max_length=100)] = "region",
    region: Annotated[str | None, Query(pattern=r"^\d{2}(\.\d{2})?$")] = None,
    since: Month = None,
    until: Month = None,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Reports received, valid, answered, answered in time, overdue, finished, reopened, the median of working days and
    the mean rating. `by`: up to three of month, region, office_id, channel, category_id, with commas."""
    words = tuple(word.strip() for word in by.split(","))
    if not 0 < len(words) <= MOST_WORDS or not WORDS.issuperset(words) or len(set(words)) < len(words):
        raise Problem(422, "statistics_by")
    if region is not None and not is_region(region):
        raise invalid_fields({"region": TranslatableText("error_region")})
    rows = open_data(await ask(by=words, region=region, since=since, until=until), words)
    if form == "json":
        return JSONResponse(rows, headers={"Cache-Control": FRESH})
    return Response(
        format_csv(headings(words), rows), media_type="text/csv; charset=utf-8", headers={"Cache-Control": FRESH}
    )
