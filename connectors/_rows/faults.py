"""Faults of rows that are seen while a file is taken apart; the row itself comes with them in `Raw.headers`."""

FAULTS = {
    "open_quote": "a quote is opened and never closed: close it, or write it twice where it is a letter",
    "misplaced_quote": "a quote stands inside a cell: put the cell between quotes, and write the inner ones twice",
    "too_many_cells": "it has more cells than the file has columns: name them all, and quote words that hold a comma",
    "too_long": "it is over 16 MiB",
    "unreadable_file": "a file of the folder cannot be read as rows: its body says why, and it lies in `gagal`",
    "headings_again": "it names the columns again: it is no report",
}
"""Code to what is wrong and what to do."""
