"""One policy applied to a project: which services it meant, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from tycho.errors import Problem
from tycho.model import EmitTemplate, Json, Project, Service, ServiceMetadata
from tycho.model.rights import covers, read_grants
from tycho.policy.change import Part, add_to, complaints, defaulted, differences, patched
from tycho.policy.file import Policy
from tycho.policy.normalize import normalize
from tycho.policy.select import Seen, find_paths, plain, written
from tycho.policy.source import broken

SERVICE = ("patch", "add", "default")
TOP = ("system.patch", "system.add", "system.default")
INDEX = re.compile(r"\[\d+\]")
Changes = list[tuple[str, bool]]  # path, and whether something was there before


@dataclass(frozen=True, slots=True)
class Step:
    """What one policy did to one service, or to the top level of the file.

    Args:
        policy: The policy's name.
        subject: `services.web`, `jobs.backup`, or "" for the top level.
        matched: Whether the policy meant it.
        changes: The paths that it changed.
        denied: The paths for which it refuses the system.
    """

    policy: str
    subject: str
    matched: bool
    changes: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


@dataclass(slots=True)
class PolicyRun:
    """A system on its way through the policies."""

    system: Project
    metadata: Mapping[str, ServiceMetadata]
    emits: list[EmitTemplate] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    denials: list[tuple[str, Problem]] = field(default_factory=list)

    def apply(self, policy: Policy) -> None:
        """Apply one policy.

        Raises:
            PolicyError: What it makes of a service is not Compose.
        """
        selects = bool(policy.match or policy.unless)
        meant, changes = not selects, Changes()
        if policy.deny or policy.warn:
            self._judge(policy)
        if policy.system.get("deny"):
            self._judge_top(policy)
        if policy.default or policy.add or policy.patch or policy.emit or (policy.system and selects):
            meant, changes = self._services(policy)
        if policy.apply:
            changes += self._whole(policy, policy.apply(self.system))
        if policy.system and meant:
            changes += self._whole(policy, _changed(policy, self.system, "", policy.system))
            if name := policy.system.get("emit"):
                self._emit(policy, name)
        if changes:
            self.system = self.system.model_copy(update={"lines": _relined(self.system, policy, changes)})
            self.system = normalize(self.system)

    def _services(self, policy: Policy) -> tuple[bool, Changes]:
        """Whether any service is meant, by what is written (one chart serves all places), and changes."""
        meant: list[str] = []
        every = Changes()
        sections: dict[str, dict[str, Service]] = {}
        for section, name, service in self._each():
            path, changes = f"{section}.{name}", Changes()
            if matched := _means(policy, Seen(name, service, self.metadata.get(name), written)):
                meant.append(name)
                after = _changed(
                    policy, service, f"{path}.", {"default": policy.default, "add": policy.add, "patch": policy.patch}
                )
                changes = Changes(differences(service, after, path))
                if changes:
                    if section not in sections:
                        sections[section] = dict(getattr(self.system, section))
                    sections[section][name] = after
            self._step(policy, path, changes, matched=matched)
            every += changes
        if sections:
            self.system = self.system.model_copy(update=sections)
        if policy.emit and meant:
            self._emit(policy, policy.emit, meant)
        return bool(meant), every

    def _whole(self, policy: Policy, after: Project) -> Changes:
        """Take the system as a policy left it."""
        changes = Changes(differences(self.system, after, ""))
        self.system = after
        self._step(policy, "", changes)
        return changes

    def _emit(self, policy: Policy, name: str, services: Sequence[str] = ()) -> None:
        template, text = str(policy.path.parent / name), policy.templates[name]
        self.emits.append(EmitTemplate(policy=policy.name, template=template, text=text, services=tuple(services)))

    def _step(
        self, policy: Policy, subject: str, changes: Changes, *, matched: bool = True, denied: Sequence[str] = ()
    ) -> None:
        self.steps.append(Step(policy.name, subject, matched, tuple(path for path, _ in changes), tuple(denied)))

    def _judge(self, policy: Policy) -> None:
        """Refuse and warn by what things are worth: a variable is no way round."""
        for section, name, service in self._each():
            seen = Seen(name, service, self.metadata.get(name), plain)
            matched = _means(policy, seen)
            denied: list[str] = []
            for path, value in _grounds(policy, seen, f"{section}.{name}") if matched else ():
                if policy.deny and not _is_granted(service, path.removeprefix(f"{section}.{name}."), value):
                    denied.append(path)
                    self.denials.append((policy.name, self._problem(policy, policy.deny, seen, path, value)))
                if policy.warn:
                    self.warnings.append(self._problem(policy, policy.warn, seen, path, value))
            self._step(policy, f"{section}.{name}", Changes(), matched=matched, denied=denied)

    def _judge_top(self, policy: Policy) -> None:
        """Refuse what the top level of the file says."""
        for path, value in find_paths(self.system, policy.system["has"], plain).items():
            words = {"name": self.system.name, "image": "", "has": value, "right": _name_right(path, value)}
            message, hint = (_filled(text, words) for text in (policy.system["deny"], policy.hint))
            self.denials.append((policy.name, Problem(*self.system.at(path), path, message, hint)))
            self.steps.append(Step(policy.name, "", matched=True, denied=(path,)))

    def _problem(self, policy: Policy, message: str, seen: Seen, path: str, value: str) -> Problem:
        below = path.split(f".{seen.name}.", 1)[-1]
        image = str(seen.service.image or "")
        words = {"name": seen.name, "image": image, "has": value, "right": _name_right(below, value)}
        said, hint = (_filled(text, words) for text in (message, policy.hint))
        return Problem(*self.system.at(path), path, said, hint)

    def _each(self) -> Iterator[tuple[str, str, Service]]:
        for section in ("services", "jobs"):
            for name, service in getattr(self.system, section).items():
                yield section, name, service


def _means(policy: Policy, seen: Seen) -> bool:
    return policy.match.fits(seen) and not (policy.unless and policy.unless.fits(seen))


def _grounds(policy: Policy, seen: Seen, path: str) -> Iterator[tuple[str, str]]:
    """Where a refused service gave cause, with the value there."""
    if policy.match.has:
        yield from ((f"{path}.{where}", value) for where, value in seen.found(policy.match.has).items())
    elif seen.service.image is not None and (policy.match.image or policy.unless.image):
        yield f"{path}.image", seen.text(seen.service.image)
    else:
        yield path, ""


def _name_right(path: str, value: str) -> str:
    """Write a ground as the grant that covers it."""
    plain_path = INDEX.sub("", path)
    return plain_path if value in ("true", "") or plain_path.startswith("sysctls.") else f"{plain_path}={value}"


def _is_granted(service: Service, path: str, value: str) -> bool:
    """Tell whether an earlier policy granted a ground to the service; what grants is never granted itself."""
    plain_path = INDEX.sub("", path)
    return not plain_path.startswith("x-tycho") and covers(read_grants(service), plain_path, value)


def _changed(policy: Policy, part: Part, path: str, verbs: Mapping[str, Json]) -> Part:
    try:
        with_defaults = defaulted(part, verbs.get("default", {}))
        return patched(add_to(with_defaults, verbs.get("add", {})), verbs.get("patch", {}))
    except ValidationError as error:
        file, said = str(policy.path), complaints(error, type(part))
        problems = [
            Problem(file, policy.line((*SERVICE, *TOP), where), f"{path}{where}", message, hint)
            for where, message, hint in said
        ]
        raise broken(file, problems) from error


def _relined(system: Project, policy: Policy, changes: Changes) -> dict[str, tuple[str, int]]:
    """Every changed path is the policy's from now on; what lay below one that was replaced is gone."""
    replaced = {path for path, before in changes if before}
    lines = dict(system.lines)
    if replaced:
        lines = {path: place for path, place in lines.items() if replaced.isdisjoint(_above(path))}
    for path, _ in changes:
        section, _, rest = path.partition(".")
        below = rest.partition(".")[2] if section in ("services", "jobs") else ""
        verbs = SERVICE if below else TOP
        lines[path] = (policy.name, policy.line(verbs, INDEX.sub("", below or path)))
    return lines


def _above(path: str) -> Iterator[str]:
    return (path[:end] for end, sign in enumerate(path) if sign in ".[")


def _filled(message: str, words: Mapping[str, Json]) -> str:
    """Put words in the place of {name}, in one pass: no word is read as a placeholder."""
    return re.sub(r"\{([a-z]+)\}", lambda found: str(words[found[1]]), message)
