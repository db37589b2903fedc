"""`python -m tycho` is `tycho`."""

from tycho.cli import main

main()
