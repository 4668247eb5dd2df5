"""`python -m hub` is `satupintu`."""

from hub.cli import main

main()
