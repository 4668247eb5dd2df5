"""The bytes of a request, and how they stand in JSON: as text where they are UTF-8 (a third shorter), else base64."""

from __future__ import annotations

from base64 import b64decode, b64encode

TEXT = ":"
"""The first character of a body that stands as text; base64 never has it."""


class Body(bytes):
    """Bytes that write themselves into JSON as text where they can."""

    __slots__ = ()

    def to_json(self) -> str:
        """As a JSON string."""
        try:
            return TEXT + self.decode("utf-8")
        except UnicodeDecodeError:
            return b64encode(self).decode("ascii")

    @classmethod
    def from_json(cls, text: str) -> Body:
        """Raises ValueError where it is neither."""
        if text.startswith(TEXT):
            return cls(text[1:].encode("utf-8", "surrogatepass"))
        return cls(b64decode(text, validate=True))
