"""The reading room: `read` makes messages of what the doors took, `match` says which complaint each belongs to."""

from normalizer._port import Decision, Known, Memory, Numbered, Parses, Thread
from normalizer.match import MATCHER, match
from normalizer.message import READER
from normalizer.read import read

__all__ = ["MATCHER", "READER", "Decision", "Known", "Memory", "Numbered", "Parses", "Thread", "match", "read"]
