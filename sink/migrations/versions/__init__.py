"""Revisions of the record's tables, run by `sink.migrate`."""
