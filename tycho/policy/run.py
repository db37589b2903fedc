"""Apply policies to a project, one after the other, and record what each of them does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from tycho.errors import Problem
from tycho.model import EmitTemplate, InvalidFieldsError, Json, Project, Service, ServiceMetadata
from tycho.model.rights import covers, read_grants
from tycho.policy.limits import list_excesses, set_missing
from tycho.policy.normalize import normalize
from tycho.policy.patching import CHANGES, Part, change, differences, validation_problems
from tycho.policy.policy import Policy
from tycho.policy.selector import PolicySubject, as_written, find_paths, paths_above, to_text
from tycho.policy.yaml_source import policy_error

SERVICE = tuple(CHANGES)[::-1]
TOP = tuple(f"system.{verb}" for verb in SERVICE)
INDEX = re.compile(r"\[\d+\]")
Changes = list[tuple[str, bool]]  # path, and whether it replaces something


class Step(Struct, frozen=True):
    """What one policy did to one service, or to the top level of the file.

    Args:
        policy: The policy's name.
        subject: `services.web`, `jobs.backup`, or "" for the top level.
        matched: Whether the policy selects it.
        changes: The paths that it changed.
        denied: The paths for which it refuses the system.
    """

    policy: str
    subject: str
    matched: bool
    changes: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()


class PolicyRun(Struct):
    """A project to which policies are being applied."""

    system: Project
    metadata: Mapping[str, ServiceMetadata]
    emits: list[EmitTemplate] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    denials: list[tuple[str, Problem]] = field(default_factory=list)

    def apply(self, policy: Policy) -> None:
        """Apply one policy.

        Raises:
            PolicyError: Compose has no such service or project as the policy would make.
        """
        before = self.system
        selects = bool(policy.match or policy.unless)
        selected, changes = not selects, Changes()
        if policy.deny or policy.warn:
            self._evaluate(policy)
        if policy.system.get("deny"):
            self._evaluate_top(policy)
        if policy.changes or policy.emit or (policy.system and selects):
            selected, changes = self._change_services(policy)
        if policy.apply:
            changes += self._replace(policy, policy.apply(self.system))
        if policy.system and selected:
            changes += self._replace(policy, _change(policy, self.system, "", policy.system))
            if name := policy.system.get("emit"):
                self._emit(policy, name)
            if policy.system.get("limit"):
                changes += self._limit(policy)
        if changes:
            self.system = self.system.model_copy(update={"lines": _update_locations(self.system, policy, changes)})
            self.system = normalize(self.system, before)

    def _change_services(self, policy: Policy) -> tuple[bool, Changes]:
        """Change the services that a policy selects by what is written: one chart serves every environment.

        Returns:
            Whether any is selected, and the changes.
        """
        selected: list[str] = []
        all_changes = Changes()
        sections: dict[str, dict[str, Service]] = {}
        for section, name, service in self._list_services():
            path, changes = f"{section}.{name}", Changes()
            if matched := _selects(policy, PolicySubject(name, service, self.metadata.get(name), as_written)):
                selected.append(name)
                after = _change(policy, service, f"{path}.", policy.changes)
                changes = Changes(differences(service, after, path))
                if changes:
                    if section not in sections:
                        sections[section] = dict(getattr(self.system, section))
                    sections[section][name] = after
            self._add_step(policy, path, changes, matched=matched)
            all_changes += changes
        if sections:
            self.system = self.system.model_copy(update=sections)
        if policy.emit and selected:
            self._emit(policy, policy.emit, selected)
        return bool(selected), all_changes

    def _replace(self, policy: Policy, after: Project) -> Changes:
        """Replace the project by what a policy made of it."""
        changes = Changes(differences(self.system, after, ""))
        self.system = after
        self._add_step(policy, "", changes)
        return changes

    def _limit(self, policy: Policy) -> Changes:
        """Refuse what runs longer than a policy allows, and end in time what would run for ever."""
        problems = list(list_excesses(policy, self.system))
        self.denials += [(policy.name, problem) for problem in problems]
        if problems:
            self.steps.append(Step(policy.name, "", matched=True, denied=tuple(problem.path for problem in problems)))
        return self._replace(policy, set_missing(policy, self.system))

    def _emit(self, policy: Policy, name: str, services: Sequence[str] = ()) -> None:
        template, text = str(policy.path.parent / name), policy.templates[name]
        self.emits.append(EmitTemplate(policy=policy.name, template=template, text=text, services=tuple(services)))

    def _add_step(
        self, policy: Policy, subject: str, changes: Changes, *, matched: bool = True, denied: Sequence[str] = ()
    ) -> None:
        self.steps.append(Step(policy.name, subject, matched, tuple(path for path, _ in changes), tuple(denied)))

    def _evaluate(self, policy: Policy) -> None:
        """Refuse services and warn of them by interpolated values: no variable hides a violation."""
        for section, name, service in self._list_services():
            root = f"{section}.{name}"
            subject = PolicySubject(name, service, self.metadata.get(name), to_text)
            matched = _selects(policy, subject)
            denied: list[str] = []
            for path, value in _violations(policy, subject, root) if matched else ():
                if policy.deny and not _is_granted(service, path.removeprefix(f"{root}."), value):
                    denied.append(path)
                    self.denials.append((policy.name, self._problem(policy, policy.deny, subject, path, value)))
                if policy.warn:
                    self.warnings.append(self._problem(policy, policy.warn, subject, path, value))
            self._add_step(policy, root, Changes(), matched=matched, denied=denied)

    def _evaluate_top(self, policy: Policy) -> None:
        """Refuse what the top level of the file holds."""
        for path, value in find_paths(self.system, policy.system["has"], to_text).items():
            words = {"name": self.system.name, "image": "", "has": value, "right": _name_right(path, value)}
            message, hint = (_fill_placeholders(text, words) for text in (policy.system["deny"], policy.hint))
            self.denials.append((policy.name, self.system.make_problem(path, message, hint)))
            self.steps.append(Step(policy.name, "", matched=True, denied=(path,)))

    def _problem(self, policy: Policy, text: str, subject: PolicySubject, path: str, value: str) -> Problem:
        below = path.split(f".{subject.name}.", 1)[-1]
        image = str(subject.service.image or "")
        words = {"name": subject.name, "image": image, "has": value, "right": _name_right(below, value)}
        message, hint = (_fill_placeholders(template, words) for template in (text, policy.hint))
        return self.system.make_problem(path, message, hint)

    def _list_services(self) -> Iterator[tuple[str, str, Service]]:
        for section in ("services", "jobs"):
            for name, service in getattr(self.system, section).items():
                yield section, name, service


def _selects(policy: Policy, subject: PolicySubject) -> bool:
    return policy.match.fits(subject) and not (policy.unless and policy.unless.fits(subject))


def _violations(policy: Policy, subject: PolicySubject, path: str) -> Iterator[tuple[str, str]]:
    """Yield the paths for which a policy refuses a service, each with its value."""
    if policy.match.has:
        matches = find_paths(subject.service, policy.match.has, subject.text)
        yield from ((f"{path}.{where}", value) for where, value in matches.items())
    elif subject.service.image is not None and (policy.match.image or policy.unless.image):
        yield f"{path}.image", subject.text(subject.service.image)
    else:
        yield path, ""


def _name_right(path: str, value: str) -> str:
    """Write a violation as the grant that covers it."""
    plain_path = INDEX.sub("", path)
    return plain_path if value in ("true", "") or plain_path.startswith("sysctls.") else f"{plain_path}={value}"


def _is_granted(service: Service, path: str, value: str) -> bool:
    """Tell whether an earlier policy granted a path to the service; a grant itself cannot be granted."""
    plain_path = INDEX.sub("", path)
    return not plain_path.startswith("x-tycho") and covers(read_grants(service), plain_path, value)


def _change(policy: Policy, part: Part, path: str, verbs: Mapping[str, Json]) -> Part:
    try:
        return change(part, verbs)
    except InvalidFieldsError as error:
        file = str(policy.path)
        problems = [
            Problem(file, policy.find_line((*SERVICE, *TOP), where), f"{path}{where}", message, hint)
            for where, message, hint in validation_problems(error, type(part))
        ]
        raise policy_error(file, problems) from error


def _update_locations(system: Project, policy: Policy, changes: Changes) -> dict[str, tuple[str, int]]:
    """Return the places of all paths after a policy's changes.

    A changed path lies in the policy; paths below one that was replaced have no place any more.
    """
    replaced = {path for path, had_value in changes if had_value}
    lines = dict(system.lines)
    if replaced:
        lines = {path: place for path, place in lines.items() if replaced.isdisjoint(paths_above(path))}
    for path, _ in changes:
        section, _, service_path = path.partition(".")
        below = service_path.partition(".")[2] if section in ("services", "jobs") else ""
        verbs = SERVICE if below else TOP
        lines[path] = (policy.name, policy.find_line(verbs, INDEX.sub("", below or path)))
    return lines


def _fill_placeholders(text: str, words: Mapping[str, Json]) -> str:
    """Put words in the place of {name}, in one pass: a word that looks like a placeholder stays as it is."""
    return re.sub(r"\{([a-z]+)\}", lambda match: str(words[match[1]]), text)
