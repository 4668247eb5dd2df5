"""The calls of LAPOR!'s API that are read: lists with pages, one complaint, its follow-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from connectors._http import ErrorMeaning, Http, HttpRequest, HttpResponse
from connectors._json import Json, decode_lenient, object_of, objects_of
from connectors._lapor_settings import LaporSettings
from schemas import PipelineError, Reject, Unanswered

MOST_PAGES = 40
ANSWER = 8 * 1024 * 1024
"""Bytes; the list of 5,000 institutions has about one million."""
INSTITUTIONS = "/masters/institutions/external"


class LaporApi:
    """Calls with the account's two credentials."""

    def __init__(self, settings: LaporSettings, http: Http) -> None:
        self._settings, self._http = settings, http

    async def get(self, path: str, **params: str) -> Json:
        """The answer. Raises as `Http.send`, and Reject where it is no JSON object."""
        base, _, query = path.partition("?")
        params = dict(parse_qsl(query)) | params
        return decoded(await self._http.send(self.request("GET", base, params=params)))

    async def post(self, path: str, **content: Any) -> Json:
        """Send JSON (`json`) or a form (`content`). Raises as `Http.send`; Unanswered where the answer makes no
        sense."""
        try:
            return decoded(await self._http.send(self.request("POST", path, **content)))
        except Reject as fault:
            if fault.code != "not_json":
                raise
            raise _doubtful(fault) from None

    async def pages(self, path: str, **params: str) -> AsyncIterator[Json]:
        """Every item of a list, page by page. Pages may shift while they are read: an item may come twice."""
        for page in range(1, MOST_PAGES + 1):
            results = object_of(await self.get(path, **params, page=str(page)), "results")
            items = objects_of(results, "data")
            for item in items:
                yield item
            if not results.get("next_page_url") or not items:
                return

    def request(self, method: str, path: str, **more: Any) -> HttpRequest:
        """A request with both credentials."""
        headers = {"token": self._settings.token_value, self._settings.auth_header: self._settings.auth_value.reveal()}
        url = self._settings.url.rstrip("/") + path
        return HttpRequest(url, method, headers=headers, limit=ANSWER, judge=judged, **more)

    def same_host(self, url: str) -> bool:
        """Would a request to this address go to LAPOR! itself?"""
        ours, theirs = urlsplit(self._settings.url), urlsplit(url)
        return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)


def complaint_path(native: str, what: str) -> str:
    """`/complaints/{id}/complaint` or `…/followups`."""
    return f"/complaints/{quote(native, safe='')}/{what}"


def complaint_id_of(answer: Json) -> str | None:
    """The id of a created complaint, from the three places where answers have had it."""
    inner = object_of(object_of(answer, "results"), "complaint")
    found = (answer.get("complaint_id"), inner.get("id"), object_of(answer, "data").get("complaint_id"))
    return next((id for value in found if (id := id_of(value))), None)


def id_of(value: Any) -> str | None:
    """An id as text; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value).strip() or None


def detail_of(answer: Json) -> Json:
    """`results.data` of one complaint; a list of one is taken too. Empty: there is none."""
    results = object_of(answer, "results")
    return object_of(results, "data") or next(iter(objects_of(results, "data")), {})


def decoded(response: HttpResponse) -> Json:
    """The JSON object. Raises Reject."""
    try:
        found = decode_lenient(response.body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    raise _with_answer(Reject("not_json", "LAPOR! answered with something else than a JSON object"), response.body)


def judged(response: HttpResponse) -> ErrorMeaning | None:
    """A wrong path is the account's fault; the rest goes by the status."""
    if response.status in {404, 405} and not decode_is_object(response.body):
        return ErrorMeaning(
            "account", f"http_{response.status}", "nothing answers at this address: set url and its paths"
        )
    return None


def decode_is_object(body: bytes) -> bool:
    """Does LAPOR! itself say so, or something before it?"""
    try:
        return isinstance(decode_lenient(body), dict)
    except ValueError:
        return False


def numbers_in(item: Mapping[str, Any]) -> str:
    """The words of a listed complaint, in which our number is looked for."""
    return " ".join(str(item.get(name) or "") for name in ("content", "tags_raw", "tags", "title"))


def _doubtful(fault: Reject) -> Unanswered:
    doubtful = Unanswered("answered with something that is no JSON: it may have arrived")
    doubtful.answer = fault.answer
    return doubtful


def _with_answer(fault: Reject, body: bytes) -> PipelineError:
    fault.answer = body[:4000].decode("utf-8", "replace")
    return fault
