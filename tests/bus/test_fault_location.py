"""What is told of exceptions: class and place, never their words."""

from __future__ import annotations

from bus import fault_location


def test_an_exception_is_told_by_class_and_place() -> None:
    try:
        int("0812-0000-4455")
    except ValueError as error:
        told = fault_location(error)
    assert told.startswith("ValueError at tests.bus.test_fault_location:")
    assert "0812" not in told


def test_an_exception_never_raised_has_a_class_only() -> None:
    assert fault_location(KeyError("0812-0000-4455")) == "KeyError"
