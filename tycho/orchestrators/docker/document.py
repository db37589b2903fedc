"""What `docker compose` reads: a system with its values, on its standard input and in variables of its process.

Nothing of it is written to a disk, and nothing of it is an argument. A config or a secret that is a variable, or that
came along with a document, is a variable of the process, whose name is made here: a request cannot name one that the
program itself reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from tycho.canonical import to_canonical
from tycho.errors import ComposeError, NotSupported, Problem
from tycho.model import Config, Secret
from tycho.orchestrators.docker.labels import GUID, INPUTS
from tycho.orchestrators.instance import Instance
from tycho.text import json_text

Tree = dict[str, Any]
UNRUN = ("build", "develop", "profiles")
CONTENT = ("configs", "secrets")
LABELLED = ("networks", "volumes")


@dataclass(frozen=True, slots=True)
class Document:
    """A compose document, and the variables that its configs and secrets are read from.

    Args:
        content: The document, as JSON.
        variables: Name to content.
        directory: Folder that its relative paths start in.
        digest: Of all of it, of this system alone.
    """

    content: bytes = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    directory: str
    digest: str


def write_document(instance: Instance) -> Document:
    """Write what `docker compose` reads of an instance.

    Raises:
        NotSupported: It has metadata or an account, which clusters alone know.
        ComposeError: A file that came along with a document cannot be given to a container.
    """
    _refuse_metadata(instance)
    project, guid = instance.project, instance.identity.guid
    directory = instance.directory or "/"
    tree = to_canonical(project, lambda path: os.path.normpath(os.path.join(directory, path)), written=True)
    tree = {key: value for key, value in tree.items() if not key.startswith("x-") and key not in ("name", "jobs")}
    files = _FileVariables(instance)
    for section in CONTENT:
        for name, entry in tree.get(section, {}).items():
            files.replace_content(section, name, entry)
    for section in LABELLED:
        for entry in tree.get(section, {}).values():
            if not entry.get("external"):
                entry["labels"] = {**(entry.get("labels") or {}), GUID: guid}
    for section in (*CONTENT, *LABELLED):
        for name, entry in tree.get(section, {}).items():
            if getattr(project, section)[name].name is None and not entry.get("external"):
                entry.pop("name", None)  # Compose makes it of the system's own name
    for name, service in tree["services"].items():
        for key in [key for key in service if key in UNRUN or key.startswith("x-")]:
            del service[key]
        service["image"] = project.image_name(name).replace("$", "$$")
        if project.services[name].build is not None and not project.services[name].image:
            service["pull_policy"] = "never"  # nobody but the engine can have it
        if not instance.directory:
            files.replace_mounts(name, service, tree)
        if environment := service.pop("environment", None):  # Compose would look elsewhere for what has no value
            service["environment"] = {key: value for key, value in environment.items() if value is not None}
        labels = {**(service.get("labels") or {}), GUID: guid}
        service["labels"] = labels | files.label(service)
    content = json_text(tree).encode()
    whole = json.dumps([guid, content.decode(), files.variables], sort_keys=True)
    return Document(content, files.variables, directory, sha256(whole.encode()).hexdigest()[:40])


class _FileVariables:
    """Contents that containers get from variables of the process.

    Args:
        instance: Whose contents.
    """

    def __init__(self, instance: Instance) -> None:
        self.variables: dict[str, str] = {}
        self._instance = instance
        self._names: dict[tuple[str, str], str] = {}  # section and name, to the variable

    def replace_content(self, section: str, name: str, entry: Tree) -> None:
        """Have a config or secret read a variable of ours, where it reads one or is a file that came along."""
        part: Config | Secret = getattr(self._instance.project, section)[name]
        if part.external:
            return
        if part.environment is None and (self._instance.directory or part.file is None):
            return
        path = f"{section}.{name}"
        contents = [file.content for file in part.files or ()]
        if part.environment is not None and not contents:
            text = self._instance.variables.get(str(part.environment), "")
        elif len(contents) == 1:
            text = self._decode(path, contents[0])
        else:
            raise self._refuse(path, "a folder", "send its files one by one")
        entry.pop("file", None)
        entry["environment"] = self._add(section, name, text)

    def replace_mounts(self, name: str, service: Tree, tree: Tree) -> None:
        """Give a container the files that came along, where there is no disk to mount them from."""
        mounts = self._instance.project.services[name].volumes
        kept = []
        for index, (mount, entry) in enumerate(zip(mounts, service.get("volumes", ()), strict=True)):
            if mount.type != "bind" or os.path.isabs(str(mount.source)):
                kept.append(entry)
                continue
            path = f"services.{name}.volumes[{index}]"
            if mount.files is None:
                raise self._refuse(path, "on no disk", "send its files along, or use a volume")
            for file in mount.files:
                source = f"tycho-{name}-{index}-{sha256(file.path.encode()).hexdigest()[:8]}"
                variable = self._add("configs", source, self._decode(path, file.content))
                tree.setdefault("configs", {})[source] = {"environment": variable}
                target = os.path.join(mount.target, file.path) if file.path else mount.target
                grant = {"source": source, "target": target, "mode": f"{file.mode:04o}"}
                service.setdefault("configs", []).append(grant)
        if "volumes" in service:
            service["volumes"] = kept

    def label(self, service: Tree) -> dict[str, str]:
        """Return the label by which a container is made anew when what it gets from variables changes."""
        grants = [
            (section, grant["source"]) for section in ("configs", "secrets") for grant in service.get(section, ())
        ]
        variables = [self._names[grant] for grant in grants if grant in self._names]
        if not variables:
            return {}
        texts = [self._instance.identity.guid, *(self.variables[variable] for variable in variables)]
        return {INPUTS: sha256(json.dumps(texts).encode()).hexdigest()[:40]}

    def _add(self, section: str, name: str, text: str) -> str:
        variable = f"TYCHO_CONTENT_{len(self.variables)}"
        self.variables[variable] = text
        self._names[section, name] = variable
        return variable

    def _decode(self, path: str, content: bytes) -> str:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise self._refuse(path, "no text", "copy it into the image, or start it from a folder")
        return text

    def _refuse(self, path: str, message: str, hint: str) -> ComposeError:
        place = self._instance.project.at(path)
        return ComposeError("1 problem", problems=[Problem(*place, path, message, hint)])


def _refuse_metadata(instance: Instance) -> None:
    """Refuse what clusters alone know; an image that was built here is the engine's already.

    Raises:
        NotSupported: Names it.
    """
    names = [
        name
        for name, entry in instance.metadata.items()
        if entry.port or entry.clients or entry.values.keys() - {"image"} or entry.publishes
    ]
    if names:
        raise NotSupported(
            f"docker takes no metadata of services ({', '.join(names)})", hint="leave out --metadata, or use -b helm"
        )
    if instance.service_account:
        raise NotSupported("docker knows no service accounts", hint="use -b helm")
