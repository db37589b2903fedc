"""The mode of mounted configs and secrets: whoever is to read one can, though root owns it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chart.cases import rows

TEXT = """
services:
  web: {{image: nginx, {user} {kind}: [{{source: key, target: /k, {ref}}}]}}
{kind}: {{key: {{file: ./key}}}}
"""


@pytest.mark.parametrize("kind", ["configs", "secrets"])
@pytest.mark.parametrize(
    ("user", "ref", "mode", "reported"),
    [
        ("", "", 0o444, set()),
        ("", "mode: 0400", 0o400, set()),
        ("user: '0',", "mode: 0400", 0o400, set()),
        ("user: root,", "mode: 0500", 0o500, set()),
        ("user: '1000',", "mode: 0400", 0o404, {"mode"}),
        ("user: '1000',", "mode: 0700", 0o705, {"mode"}),
        ("user: '1000:1000',", "mode: 0440", 0o444, set()),
        ("", "uid: '1000', mode: 0400", 0o404, {"mode", "uid"}),
        ("", "uid: '0', gid: '20', mode: 0440", 0o444, {"gid", "uid"}),
    ],
)
def test_whoever_is_to_read_a_file_can(
    bench: Any, kind: str, user: str, ref: str, mode: int, reported: set[str]
) -> None:
    text, files = TEXT.format(kind=kind, user=user, ref=ref), {"key": "k\n"}
    (volume,) = bench.objects(text, files=files).pod("rel-web")["volumes"]
    source = volume["configMap" if kind == "configs" else "secret"]
    assert [entry["mode"] for entry in source.get("items", ())] in ([mode], [])
    assert source.get("defaultMode", mode) == mode
    changed = {path.rpartition(".")[2] for path in rows(bench, text, files=files) if f"{kind}[0]" in path}
    assert changed == reported
