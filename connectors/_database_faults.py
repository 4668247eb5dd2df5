"""What databases say of a fault, and what it means for the account. Their own words may hold a row's values: they are
shown only where they name tables and columns of the operator's own query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from schemas import AccountFault, PipelineError, Retry

_LOGIN = ("login_refused", "the database refuses the login: see user, password, and from where it may come")
_UNKNOWN = ("no_database", "there is no database of this name there: see url")
_RIGHT = ("no_right", "the login may not read what the query names: GRANT SELECT on it")
_WRITES = ("query_writes", "the query would write, and the session is read-only: take a SELECT that only reads")
_SLOW = ("query_too_slow", "the query takes longer than timeout: add an index on time and key, or raise timeout")
_WRONG = ("query_wrong", "the query, key or time is wrong")
_CODES: dict[str | int, tuple[str, str]] = {
    "28000": _LOGIN, "28P01": _LOGIN, "3D000": _UNKNOWN, "42501": _RIGHT, "25006": _WRITES, "57014": _SLOW,
    "0A000": _WRONG,
    1045: _LOGIN, 1698: _LOGIN, 1044: _RIGHT, 1142: _RIGHT, 1143: _RIGHT, 1370: _RIGHT, 1227: _RIGHT, 1049: _UNKNOWN,
    1792: _WRITES, 1969: _SLOW, 3024: _SLOW,
    1054: _WRONG, 1146: _WRONG, 1064: _WRONG, 1060: _WRONG, 1305: _WRONG, 1317: _SLOW,
    "SQLITE_READONLY": _WRITES, "SQLITE_INTERRUPT": _SLOW, "SQLITE_ERROR": _WRONG, "SQLITE_CANTOPEN": _UNKNOWN,
    "SQLITE_NOTADB": _UNKNOWN,
}  # fmt: skip
"""SQLSTATE of PostgreSQL, number of MySQL and MariaDB, name of SQLite."""
_NAMING = frozenset({1054, 1146, 1060})
"""Numbers of MySQL whose words name a table or a column and nothing else."""
_AT_LOGIN = (
    ("authentication failed", _LOGIN), ("no pg_hba.conf entry", _LOGIN), ("no password supplied", _LOGIN),
    ('fatal:  role "', _LOGIN), ('fatal:  database "', _UNKNOWN),
)  # fmt: skip
"""PostgreSQL gives no SQLSTATE before the login is done."""


@contextmanager
def as_our_fault() -> Iterator[None]:
    """Faults of SQLAlchemy and of drivers as Retry or AccountFault."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as fault:
        raise _meaning(fault.orig) from None
    except SQLAlchemyError as fault:
        raise AccountFault("query_wrong", f"the query cannot be made ({type(fault).__name__})") from None
    except OSError as fault:
        raise Retry(f"the database does not answer ({type(fault).__name__})") from None


def _meaning(fault: Any) -> PipelineError:
    code = _code_of(fault)
    known = _CODES.get(code) if code else _at_login(str(fault).lower())
    if known is None and str(code).startswith("42"):  # PostgreSQL: a wrong query
        known = _WRONG
    if known is None:
        return Retry(f"the database failed ({type(fault).__name__}{f' {code}' if code else ''})")
    named = _named(fault, code) if known is _WRONG else ""
    return AccountFault(known[0], f"{known[1]}: {named}" if named else known[1])


def _at_login(words: str) -> tuple[str, str] | None:
    return next((meaning for sign, meaning in _AT_LOGIN if sign in words), None)


def _code_of(fault: Any) -> str | int:
    args = getattr(fault, "args", ())
    if args and isinstance(args[0], int):
        return args[0]
    return str(getattr(fault, "sqlstate", None) or getattr(fault, "sqlite_errorname", None) or "")


def _named(fault: Any, code: str | int) -> str:
    """The table or column that is not there, as the database names it."""
    if code in _NAMING and len(fault.args) > 1:
        return str(fault.args[1])[:200]
    if isinstance(code, str) and code in {"42703", "42P01", "42883"}:
        return str(getattr(fault.diag, "message_primary", "") or "")[:200]
    words = str(fault)
    return words[:200] if code == "SQLITE_ERROR" and words.startswith(("no such column", "no such table")) else ""
