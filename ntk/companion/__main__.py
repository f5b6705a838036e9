"""`python -m ntk.companion` is the command `ntk`."""

from ntk.companion.cli import main

main()
