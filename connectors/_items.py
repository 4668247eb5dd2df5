"""How an account makes its events: with its name, kind and owner, and the Raw that they come of."""

from __future__ import annotations

from typing import Any, ClassVar

from schemas import Action, Message, Raw, Receipt, message_id


class MakesItems:
    """The part of a channel that makes items."""

    kind: ClassVar[str]
    account: str
    owner: str

    def message(self, raw: Raw, native: str | None, conversation: str, **known: Any) -> Message:
        """A Message of this account. `native` None: the channel has no ids, the reader derives one."""
        return Message(conversation=conversation, **self._origin(raw, native), **known)

    def action(self, raw: Raw, native: str | None, **known: Any) -> Action:
        """An Action of this account. `native` None: the source has no ids, the reader derives one."""
        return Action(**self._origin(raw, native), **known)

    def receipt(self, raw: Raw, **known: Any) -> Receipt:
        """A Receipt of this account."""
        return Receipt(account=self.account, channel=self.kind, raw=raw.id, received_at=raw.received_at, **known)

    def _origin(self, raw: Raw, native: str | None) -> dict[str, Any]:
        return {
            "id": message_id(self.kind, self.account, native) if native else "",
            "raw": raw.id,
            "account": self.account,
            "channel": self.kind,
            "owner": self.owner,
            "received_at": raw.received_at,
        }
