"""The log of what a command does, for `--trace`: a module of its own, for few commands write one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from tycho.masking import Masker, secret_variables
from tycho.settings import environment
from tycho.text import printable

TALKATIVE = ("kubernetes", "oauthlib", "requests_oauthlib", "google", "httpcore", "httpcore2", "aiohttp")
"""Loggers that write headers, bodies or tokens where they are asked for all they know."""


class MaskedFormatter(logging.Formatter):
    """Writes a log without secrets.

    Args:
        layout: As of `logging.Formatter`.
        secrets: Value to what is shown in its place.
    """

    def __init__(self, layout: str, secrets: Mapping[str, str]) -> None:
        super().__init__(layout)
        self._masker = Masker(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """One record, with its traceback."""
        return printable(self._masker.text(super().format(record)))


def start_trace() -> None:
    """Log on stderr what is done."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskedFormatter("%(asctime)s %(name)s: %(message)s", secret_variables(environment())))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
