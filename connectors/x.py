"""X: mentions, a search and direct messages by polling; answers to who mentioned us, with the number only.

A conversation is `THREAD:AUTHOR` for posts, `dm:PERSON` for direct messages. An answer to a post is a post that
everybody reads. X lets us answer only who addressed us, and a post with a link costs twenty times one without.
Facts: docs.x.com, X API v2: timelines, recent search, direct messages, pricing (August 2026).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from connectors import _x_budget as prices
from connectors import _x_polling as timelines
from connectors._demo import DemoItem, DemoRequest
from connectors._http import HttpRequest, is_at, judge_unproven, require_host
from connectors._json import Json, object_of, string_of
from connectors._port import Fetches, Polls, ProviderConnections, Speaks
from connectors._request import Part, Payload
from connectors._results import ALWAYS_COSTS, AnswerTerms, CheckResult, FetchedFile, Gap, PollResult, SentReply
from connectors._x_calls import XCalls, native_of
from connectors._x_posts import Post, content_fields, other_party, posts_in
from connectors._x_settings import FILE_HOSTS, XSettings
from connectors._x_stream import XStream
from schemas import AccountFault, Attachment, Message, Party, PipelineError, Raw, Reject, Reply, Unanswered

DOWNLOAD_WITHIN = 120.0
"""Seconds."""
_LINK = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:id|com|org|net|info|me|io|app|link|site|web|xyz|co|gov)\b", re.IGNORECASE
)
"""What X would make a link of."""


class XChannel(Polls, Speaks, Fetches):
    kind = "x"
    settings_type = XSettings
    conversational = True
    names_us_first = True
    vouches_for_sender = True
    send_at_once = 1
    outbound_settings = ("consumer_key", "consumer_secret", "access_token", "access_secret")
    url_settings = ("api_url",)
    template = """\
# X: keys of an app of this office's own, from X's developer console. It costs by what is read and answered.
# user_id = "…"                          # the account's number
# bearer_token = "env:X_BEARER"          # reads mentions; without it the four keys do
# consumer_key = "env:X_CONSUMER_KEY"    # these four answer
# consumer_secret = "env:X_CONSUMER_SECRET"
# access_token = "env:X_ACCESS_TOKEN"
# access_secret = "env:X_ACCESS_SECRET"
# monthly_budget = 25                    # US dollars; set a spend limit in X's console too
# search = "#laporbandung -is:retweet"
# stream = "@dinasbdg -is:retweet"       # X tells of new posts at once; with own_app each then costs as any post
# offices = ["12345"]                    # accounts whose posts are publicity
"""

    def __init__(self, account: str, owner: str, settings: XSettings) -> None:
        super().__init__(account, owner, settings)
        if settings.monthly_budget < 0:
            raise ValueError("monthly_budget: takes US dollars, 0 for no limit")
        self.now: Callable[[], datetime] = partial(datetime.now, UTC)
        self._calls = XCalls(settings, self._clock)
        self._budget = prices.Budget(round(settings.monthly_budget * prices.MILLS), self._clock)
        self._shown: dict[str, str] = {}
        """Posts that the stream showed, with the day: the poll pays nothing for them."""
        self._turn = 0
        """The source that the next poll asks."""
        self._unanswered = ""
        """The day on which the last poll got no answer."""

    def _clock(self) -> datetime:
        return self.now()

    @property
    def poll_every(self) -> float:
        every: float = self.settings.poll_every
        return every

    @property
    def missing_for_intake(self) -> str | None:
        if not self.settings.user:
            return "user_id"
        return None if self.settings.bearer_token else self.missing_setting

    def setup_help(self, url: str) -> str:
        return (
            "in X's developer console make an app of this account's own with the right to read and write (and direct "
            "messages), buy credits, set a spend limit, and enter the keys; nothing calls us, we poll"
        )

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        if item.form != "text":
            return None
        post = {"id": item.id, "author_id": item.phone, "text": item.text, "created_at": item.at.isoformat()}
        return DemoRequest(body=json.dumps({"data": [post]}, ensure_ascii=False).encode())

    def parts(self, payload: Payload) -> Iterator[Part]:
        known = frozenset(filter(None, payload.headers.get(timelines.KNOWN, "").split(",")))
        for found in posts_in(payload.body):
            if isinstance(found, Reject):
                yield Part(found)
            elif found.id not in known:
                yield Part(found, self._conversation(found))

    def _conversation(self, post: Post) -> str | None:
        if not post.is_direct:
            return f"{string_of(post.value, 'conversation_id') or post.id}:{post.author}" if post.author else None
        other = post.author if post.author != self.settings.user else other_party(post, self.settings.user)
        return f"dm:{other}" if other else None

    def read(self, part: Part, raw: Raw) -> Message:
        post: Post = part.payload
        if isinstance(post, Reject):
            raise post
        if not post.id:
            raise Reject("no_id", "a post without an id")
        known = content_fields(post)
        if post.is_direct:
            known |= self._direct_fields(post)
        else:
            known |= self._post_fields(post, raw.headers.get(timelines.KNOWN))
        name = string_of(post.included.users.get(post.author, {}), "name") or None
        sender = Party(name=name, user=f"x:{post.author}" if post.author else None)
        return self.message(raw, post.id, part.conversation or raw.id, sender=sender, **known)

    def _post_fields(self, post: Post, known: str | None) -> Json:
        """`known` None: nothing tells which versions we saw, as in a file."""
        seen = post.history if known is None else known.split(",")
        earlier = [id for id in post.history if id != post.id and id in seen]
        ours = self.settings.user
        fields = {
            "refers_to": post.referred("replied_to") or post.referred("quoted") or post.referred("retweeted") or None,
            "refusal": self._refusal(post),
            "answerable": not ours or post.addresses(ours),
        }
        return fields | {"kind": "edit", "refers_to": earlier[-1]} if earlier else fields

    def _refusal(self, post: Post) -> str | None:
        if post.author and post.author == self.settings.user:
            return "echo of our own"
        if post.referred("retweeted"):
            return "repost"
        names = {name.removeprefix("@").casefold() for name in self.settings.offices}
        return "publicity of an office" if names & {post.author, post.username.casefold()} - {""} else None

    def _direct_fields(self, post: Post) -> Json:
        if string_of(post.value, "event_type") not in {"MessageCreate", ""}:
            return {"kind": "system", "kind_word": string_of(post.value, "event_type"), "refusal": "notice"}
        return {"refusal": "echo of our own" if post.author == self.settings.user else None}

    def reply_address(self, message: Message) -> str:
        if message.conversation.startswith("dm:"):
            return message.conversation
        return f"post:{message.native_id}" if message.answerable else f"stranger:{message.native_id}"

    def answers_publicly(self, to: str, template: str) -> bool:
        return not to.startswith("dm:")

    def answer_terms(self, to: str, template: str) -> AnswerTerms:
        return ALWAYS_COSTS

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        saved = timelines.decode_cursor(cursor)
        sources = self._sources(saved)
        source, self._turn = sources[min(self._turn, len(sources) - 1)], 0
        self._budget.adopt(saved.month, saved.reserved)
        most = prices.most_of_a_page(self._page_size, source.price, names=self.settings.names)
        if self._budget.must_reserve(most):
            return PollResult((), self._encode(saved, most), more=True)
        place = saved.places.get(source.name, timelines.Place())
        day = f"{self.now():%Y-%m-%d}" if self._budget.limit else ""
        try:
            answer, body, month = await self._read_page(source, place, most, outbound)
        except Reject:
            if not place.page:
                raise
            saved.places[source.name] = timelines.without_page(place)
            return PollResult((), self._encode(saved, 0))
        paid = {id for known in (place.seen, self._shown) for id, read_on in known.items() if day and read_on == day}
        cost = prices.cost_of(answer, source.price, paid.__contains__)
        self._budget.give_back(most - cost, month)
        request = timelines.request_of(answer, body, place.seen)
        saved.places[source.name], more = timelines.advance(source, place, answer, day, self.now().timestamp())
        if source.name == "direct" and not more:
            saved.direct_at = self.now().timestamp()
        at = sources.index(source) + (not more)
        self._turn = at if at < len(sources) else 0
        return PollResult((request,) if request else (), self._encode(saved, 0), more=at < len(sources))

    @property
    def _page_size(self) -> int:
        return timelines.SMALL_PAGE if self._budget.limit else timelines.PAGE

    async def _read_page(
        self, source: timelines.Source, place: timelines.Place, most: int, outbound: ProviderConnections
    ) -> tuple[Json, bytes, str]:
        """With the month whose budget has paid. Of polls in a row without an answer one a day may have cost something:
        the next answer of that day holds the same."""
        month, day = self._budget.take(most), f"{self.now():%Y-%m-%d}"
        params = timelines.params_of(source, place, self._page_size, self.now().timestamp())
        try:
            answer, body = await self._calls.get(outbound, source.path, params, own=source.own)
        except PipelineError as fault:
            if not isinstance(fault, Unanswered) or self._unanswered == day:
                self._budget.give_back(most, month)
            self._unanswered = day if isinstance(fault, Unanswered) else self._unanswered
            raise
        self._unanswered = ""
        return answer, body, month

    def _sources(self, saved: timelines.Cursor) -> Sequence[timelines.Source]:
        """What is polled now. Raises AccountFault."""
        own = self.settings
        if not own.user:
            raise AccountFault("setting_missing", "set user_id of this account")
        if not own.bearer_token:
            self.require_outbound()
        price = prices.OWN_POST if own.own_app and not own.stream else prices.POST
        sources = [timelines.mentions(quote(own.user, safe=""), price, names=own.names)]
        if own.search:
            sources.append(timelines.searched(own.search, prices.POST, names=own.names))
        waited = self.now().timestamp() - saved.direct_at
        if own.direct_messages and not 0 <= waited < own.direct_every:  # below 0: our clock was ahead
            sources.append(timelines.direct_messages(prices.DIRECT))
        return sources

    def _encode(self, cursor: timelines.Cursor, next_poll: int) -> str:
        if self._budget.limit:
            cursor.month, cursor.reserved = self._budget.reservation(next_poll)
        return timelines.encode_cursor(cursor)

    def new_items(self, outbound: ProviderConnections) -> AbstractAsyncContextManager[asyncio.Event | None]:
        if not self.settings.stream:
            return super().new_items(outbound)
        return XStream(self.account, self.settings.stream, self._calls, self._budget, self._shown).open(outbound)

    def gap(self, before: str, after: str, taken: int) -> Gap | None:
        return timelines.gap_between(timelines.decode_cursor(before), timelines.decode_cursor(after))

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        where, _, id = reply.to.partition(":")
        if where == "dm":
            return await self._send_direct(id, reply, outbound)
        if where == "stranger":
            raise Reject("not_addressed", "who did not mention us is not answered: X forbids it")
        if _LINK.search(reply.text):
            raise Reject("link_in_answer", "answers on X hold no links: change the words in templates.toml")
        body = {"text": reply.text, "reply": {"in_reply_to_tweet_id": id or where}}
        answer = await self._post(outbound, "tweets", body, prices.ANSWER)
        return SentReply((native_of(answer, "id"),))

    async def _send_direct(self, to: str, reply: Reply, outbound: ProviderConnections) -> SentReply:
        words = "\n".join(filter(None, (reply.text, self.settings.other_door)))
        price = prices.ANSWER_WITH_LINK if _LINK.search(words) else prices.DIRECT_ANSWER
        path = f"dm_conversations/with/{quote(to, safe='')}/messages"
        return SentReply((native_of(await self._post(outbound, path, {"text": words}, price), "dm_event_id"),))

    async def _post(self, outbound: ProviderConnections, path: str, body: Json, price: int) -> Json:
        month = self._budget.take(price)
        try:
            answer, _ = await self._calls.post(outbound, path, body)
        except PipelineError as fault:
            if not isinstance(fault, Unanswered):
                self._budget.give_back(price, month)
            raise
        return object_of(answer, "data")

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        url = attachment.url or ""
        require_host(url, self.settings.api_url, self.settings.file_hosts)
        limit, public = self.settings.file_limit, is_at(url, FILE_HOSTS)  # one that the operator names may be within
        request = HttpRequest(url, limit=limit, timeout=DOWNLOAD_WITHIN, public=public, judge=judge_unproven)
        return FetchedFile((await outbound.http.send(request)).body, attachment.media_type)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        own, answers = self.settings.user, self.missing_setting is None
        path = "users/me" if answers else f"users/{quote(own, safe='')}"  # the app's token is of no account
        answer, _ = await self._calls.get(outbound, path, {}, own=answers)
        theirs = string_of(object_of(answer, "data"), "id")
        if theirs != own and answers:
            return [CheckResult(f"the keys are of account {theirs}: set user_id to it, or enter the right keys", True)]
        if theirs != own:
            return [CheckResult("X knows no account of the number in user_id", True)]
        found = [CheckResult(f"the keys are of account {own}, as user_id says" if answers else "bearer_token is taken")]
        if not self.settings.monthly_budget:
            found.append(CheckResult("no monthly_budget is set: only X's own limit stops the costs", True))
        return found
