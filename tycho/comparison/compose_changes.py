"""What differs between two releases in Compose's words: the canonical compose files, and what variables are worth.

A chart carries its compose file with expressions in the place of values. Both are evaluated and then compared, key by
key; what a release says beside its file (an image that was built, replicas that were set by hand) goes before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tycho.chart.chart import COMPOSE_FILE
from tycho.comparison import SERVICES, Action, Change
from tycho.comparison.compose_leaves import Leaf, Place, Side, list_paths, name_path
from tycho.credentials import MASK
from tycho.masking import Masker, secret_values
from tycho.stored import StoredRelease
from tycho.suspension import is_paused

SECTIONS = (*SERVICES, "volumes", "networks", "configs", "secrets")
FILES = "files/"  # folder of a chart that holds the project's files
OWN = (COMPOSE_FILE, "files/fill.sh")  # files there that are not the project's
NOWHERE = StoredRelease(0, {}, {}, {})


def list_changes(before: StoredRelease, after: StoredRelease) -> tuple[Change, ...]:
    """List what differs between two releases of a system in Compose's words.

    Args:
        before: The one that is; `NOWHERE` for none.
        after: The one that is to be.

    Returns:
        Services first, in the order of the later file, and then those that go.
    """
    known = [*before.files.values(), *after.files.values()]
    secrets = {**secret_values(before.merged, known=known), **secret_values(after.merged, known=known)}
    masker = Masker(dict.fromkeys(secrets, MASK))
    old, new = Side(before, masker), Side(after, masker)
    return tuple(_list_all(old, new))


def list_unused(before: StoredRelease, after: StoredRelease) -> tuple[str, ...]:
    """List the volumes that a service has before, and none afterwards."""
    masker = Masker({})
    used = [_list_volumes(Side(stored, masker)) for stored in (before, after)]
    return tuple(name for name in used[0] if name not in used[1])


def _list_all(old: Side, new: Side) -> Iterator[Change]:
    for section in SECTIONS:
        entries, former = new.section(section), old.section(section)
        for name, entry in entries.items():
            if name not in former:
                image = new.settings(name, {("image",)}) if section in SERVICES else {}
                after = image["image", ""][1] if image else None
                yield Change(action="added", section=section, name=name, after=after)
            else:
                yield from _compare(old, new, section, name, former[name], entry)
        for name in former:
            if name not in entries:
                yield Change(action="removed", section=section, name=name)
    beside = ({key: side.tree[key] for key in side.tree if key not in (*SECTIONS, "name")} for side in (old, new))
    leaves = [side.leaves(part) for side, part in zip((old, new), beside, strict=True)]
    if old.tree:
        yield from _compare_pauses(old, new)
        yield from _pair("", "", *leaves)
        yield from _compare_defaults(old, new)
        yield from _compare_contents(old, new)


def _compare_pauses(old: Side, new: Side) -> Iterator[Change]:
    """Compare whether the whole system is paused."""
    before, after = is_paused(old.merged), is_paused(new.merged)
    if before != after:
        action: Action = "added" if after else "removed"
        yield Change(action=action, section="", name="", path="paused", **{"after" if after else "before": "true"})


def _compare(old: Side, new: Side, section: str, name: str, former: Any, entry: Any) -> Iterator[Change]:
    """Compare an entry of a section that both have."""
    before, after = old.leaves(former), new.leaves(entry)
    if section in SERVICES:
        by_hand = _leave_out_parts(old.set_by_hand(name) | new.set_by_hand(name))
        covered = {name_path(path) for path in by_hand}
        before = {place: leaf for place, leaf in before.items() if place[0] not in covered}
        after = {place: leaf for place, leaf in after.items() if place[0] not in covered}
        before |= old.settings(name, by_hand)
        after |= new.settings(name, by_hand)
    yield from _pair(section, name, before, after)


def _compare_defaults(old: Side, new: Side) -> Iterator[Change]:
    """Compare what releases say of all services: labels, accounts."""
    paths = {path for side in (old, new) for path in list_paths(side.stored.values.get("defaults"))}
    paths = {path for path in paths if path[0] != "workloadAnnotations"}
    yield from _pair("", "", old.settings("", paths), new.settings("", paths))


def _compare_contents(old: Side, new: Side) -> Iterator[Change]:
    """Compare files of the project and the contents of secrets, which are not shown."""
    contents = [dict(_list_contents(side.stored)) for side in (old, new)]
    for section, name in dict.fromkeys((*contents[1], *contents[0])):
        before, after = (listed.get((section, name)) for listed in contents)
        if before != after and section == "secrets" and None in (before, after):
            continue  # that it comes or goes is said already
        if before != after:
            action = "added" if before is None else "removed" if after is None else "changed"
            yield Change.model_validate({"action": action, "section": section, "name": name, "path": "content"})


def _list_contents(stored: StoredRelease) -> Iterator[tuple[tuple[str, str], Any]]:
    for path, text in stored.files.items():
        if path.startswith(FILES) and path not in OWN:
            yield ("files", path.removeprefix(FILES)), text
    for slug, entries in (stored.values.get("secretFiles") or {}).items():
        for key, content in entries.items():
            yield ("files", f"{slug}/{key}"), content
    for name, secret in (stored.values.get("secrets") or {}).items():
        yield ("secrets", name), secret


def _pair(section: str, name: str, before: Mapping[Place, Leaf], after: Mapping[Place, Leaf]) -> Iterator[Change]:
    for place in dict.fromkeys((*after, *before)):
        old, new = before.get(place), after.get(place)
        if (old and old[0]) == (new and new[0]):
            continue
        yield Change(
            action="added" if old is None else "removed" if new is None else "changed",
            section=section,
            name=name,
            path=place[0],
            before=old[1] if old else None,
            after=new[1] if new else None,
        )


def _leave_out_parts(paths: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Leave out what lies below another path: the same is a mapping on one side, and a value on the other."""
    return {path for path in paths if not any(path[:end] in paths for end in range(1, len(path)))}


def _list_volumes(side: Side) -> list[str]:
    """List the named volumes that services mount, each once."""
    mounts = (
        mount
        for section in SERVICES
        for entry in side.section(section).values()
        for mount in (entry or {}).get("volumes") or ()
    )
    named = (str(mount.get("source", "")) for mount in mounts if mount.get("type") == "volume")
    return list(dict.fromkeys(filter(None, named)))
