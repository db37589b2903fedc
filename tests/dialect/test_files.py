"""The dialect in projects of several files, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

from tycho import Sources, load
from tycho.chart import emit
from tycho.compose import canonical, uninterpolated
from tycho.policy import apply_policies

FILES = {
    "compose.yaml": """
include: [inc/compose.yaml]
services:
  web:
    extends: {file: base.yaml, service: base}
    env: [B=2]
""",
    "base.yaml": """
services:
  base: {image: nginx:1.27, env: [A=1, B=1], volumes: ["pvc://std/{{ who }}:/d"]}
""",
    "inc/compose.yaml": """
security_context: {run_as_user: 5}
services:
  db: {image: postgres:16, volumes: ["pvc://other:/o"], mem_limit: 1Gi}
""",
}


def project(folder: Path, files: dict[str, str]) -> Sources:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return Sources.from_disk([str(folder / "compose.yaml")], env={"who": "ada"}, name="many", cwd=str(folder))


def test_included_and_extended_files(tmp_path: Path) -> None:
    sources = project(tmp_path, FILES)
    system = load(sources)
    web, db = system.services["web"], system.services["db"]
    assert dict(web.environment) == {"A": "1", "B": "2"}
    assert (web.volumes[0].source, web.volumes[0].volume) == ("pvc-std", {"subpath": "ada"})
    assert (db.user, db.mem_limit, web.user) == ("5", 1 << 30, None)
    assert {name: (volume.name, volume.external) for name, volume in system.volumes.items()} == {
        "pvc-std": ("std", True),
        "pvc-other": ("other", True),
    }
    rows = {row.path: (row.file, row.line) for row in emit(apply_policies(system)).report}
    assert rows["services.web.env"] == ("compose.yaml", 6)
    assert rows["security_context.run_as_user"] == ("inc/compose.yaml", 2)
    assert "services.base.env" not in rows


def test_the_canonical_form_is_plain_compose(tmp_path: Path) -> None:
    sources = project(tmp_path, FILES)
    system = load(sources)
    again = load(Sources.from_document(canonical(system, sources, written=True), env={}, name="many"))
    assert again.dialect == ()
    assert again.services["web"].volumes == system.services["web"].volumes
    written = uninterpolated(sources)
    assert str(written).count("${who}") == 1


def test_braces_that_are_no_names_of_variables(tmp_path: Path) -> None:
    text = 'services: {web: {image: "nginx:1", command: ["{{ instance }}", "{{who.x}}", "$${{ who }}", "{{{who}}}"]}}'
    system = load(project(tmp_path, {"compose.yaml": text}))
    assert list(system.services["web"].command or ()) == ["{{ instance }}", "{{who.x}}", "${{ who }}", "{{{who}}}"]
    assert (system.dialect, dict(system.x)) == ((), {})
