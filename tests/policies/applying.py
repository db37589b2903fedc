"""What the tests of policies share: text in, a project with its policies applied out, through the public doors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tycho import Sources, apply_policies, data_folders, load
from tycho.model import Live, PolicyResult, Project, ServiceMetadata, template


def system(text: str, **env: str) -> Project:
    return load(Sources.from_document(text, env=env, name="shop"))


def folder(at: Path, files: Mapping[str, str], *, keep: tuple[str, ...] = ()) -> Path:
    """A folder with these files, that takes the shipped policies out of force."""
    at.mkdir(exist_ok=True)
    for shipped in data_folders.policies().iterdir():
        if shipped.name not in keep:
            (at / shipped.name).write_bytes(b"")
    for name, text in files.items():
        (at / name).write_text(text)
    return at


def policy_result(
    at: Path,
    compose: str,
    policies: Mapping[str, str] | str,
    *,
    metadata: Mapping[str, ServiceMetadata] | None = None,
    **env: str,
) -> PolicyResult:
    """Apply the policies that a test wrote, and no others, to a compose text."""
    files = {"50-test.yaml": policies} if isinstance(policies, str) else policies
    return apply_policies(system(compose, **env), folders=[folder(at / "ours", files)], metadata=metadata)


def set_fields(part: object) -> object:
    """All that a part of the model was told, templates for live values."""
    match part:
        case Live():
            return template(part)
        case dict():
            return {key: set_fields(value) for key, value in part.items()}
        case list() | tuple():
            return [set_fields(value) for value in part]
    if hasattr(part, "model_fields_set"):
        return {key: set_fields(getattr(part, key)) for key in sorted(part.model_fields_set)}
    return part
