"""Globs that need no expression mean what `fnmatch` says of them."""

from fnmatch import fnmatchcase

import pytest

from tycho.globs import fits

NAMES = ("", "a", "pass", "db_pass", "passage", "a.pem", "b/a.pem", "x\ny", "[a]", "*", "pa*ss")


GLOBS = ("", "*", "**", "a", "pass", "*pass", "pass*", "*pass*", "**pass**", "p*s", "?", "*.p?m", "[ab].pem", "[[]a]")


@pytest.mark.parametrize("glob", GLOBS)
def test_a_glob_fits_the_names_that_fnmatch_finds(glob: str) -> None:
    assert [name for name in NAMES if fits(name, glob)] == [name for name in NAMES if fnmatchcase(name, glob)]
