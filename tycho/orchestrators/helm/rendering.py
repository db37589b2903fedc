"""What Helm makes of a chart and values: rendered once, and judged before anything is made of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tycho import kinds
from tycho.chart import Chart, Document, find_line, find_ungranted
from tycho.errors import Forbidden, NotFound, PolicyDenied, Problem
from tycho.kube.client import KubeClient
from tycho.kube.objects import METADATA, KubeObject
from tycho.model.rights import covers
from tycho.orchestrators.helm.process import Helm
from tycho.release import Identity

SOURCE = re.compile(r"^---\n# Source: [^/\n]+/(.+)$", re.MULTILINE)
SECRET_TYPES = {
    "helm.sh/release.v1": "a release of Helm",
    "kubernetes.io/service-account-token": "the token of a service account",
    "bootstrap.kubernetes.io/token": "a token that admits nodes",
}
ACCOUNT = "kubernetes.io/service-account.name"
SECTIONS = {"Secret": "secrets", "ConfigMap": "configs", "PersistentVolumeClaim": "volumes"}  # of a compose file
Reference = tuple[str, str]  # kind and name


class Packed(Struct):
    """A chart on disk with the values of one release, and what Helm makes of both, once it was asked.

    Args:
        chart: The chart, with what policies granted.
        path: Its archive.
        values: The release's values, as YAML.
        objects: What is rendered of it, judged.
    """

    chart: Chart
    path: Path
    values: bytes
    objects: list[KubeObject] | None = None

    async def render(self, helm: Helm, api: KubeClient, identity: Identity) -> list[KubeObject]:
        """Render what an install or upgrade will make, once, and judge it.

        Raises:
            PolicyDenied: It asks for what no policy granted, or uses what is somebody else's; with every problem.
        """
        if self.objects is None:
            argv = ["template", identity.release, str(self.path), "--namespace", identity.namespace, "--values", "-"]
            documents = list(split((await helm.run(argv, input=self.values)).decode()))
            refuse(find_ungranted(self.chart.rights, documents, find_line(self.chart.report)))
            await check_neighbours(api, self.chart, identity, documents)
            self.objects = [dict(obj) for _, obj in documents]
        return self.objects


def split(rendered: str) -> Iterator[Document]:
    """Split Helm's output into objects, each with the file of the chart that it comes from."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # either has the same methods
        """YAML as Kubernetes reads it: an equals sign is text."""

    Loader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: loader.construct_scalar(node))
    _, *parts = SOURCE.split("\n" + rendered if rendered.startswith("---") else rendered)
    for source, text in zip(parts[::2], parts[1::2], strict=True):
        for obj in yaml.load_all(text, Loader=Loader):
            if isinstance(obj, dict):
                yield source, obj


def refuse(problems: Iterable[Problem]) -> None:
    """Raise for every problem at once.

    Raises:
        PolicyDenied: There is one.
    """
    if listed := sorted(set(problems)):
        raise PolicyDenied("refused: no policy grants the rights that it needs", problems=listed)


async def check_neighbours(api: KubeClient, chart: Chart, identity: Identity, documents: Iterable[Document]) -> None:
    """Look at the objects that a system uses and does not make; whose they are, never what they hold.

    Raises:
        NotFound: A claim that it mounts does not exist: its pods would wait for ever.
        PolicyDenied: One is a release of Helm's, a token, or belongs to another system of Tycho's.
    """
    objects = [obj for _, obj in documents]
    made = {(str(obj.get("kind")), str((obj.get("metadata") or {}).get("name"))) for obj in objects}
    foreign = sorted({reference for obj in objects for reference in find_references(obj)} - made)
    if not foreign:
        return
    secrets = any(kind == "Secret" for kind, _ in foreign)
    typed, looks = await asyncio.gather(
        asyncio.gather(*(_list_names(api, identity, kind) for kind in SECRET_TYPES if secrets)),
        _look_at(api, identity, foreign),
    )
    by_type = dict(zip(SECRET_TYPES.values(), typed, strict=False))
    refuse(
        Problem("", 0, f"{kind} {name}", f"is {why}, in the namespace {identity.namespace}", "name another object")
        for kind, name in foreign
        if (why := _describe_owner(chart, identity, (kind, name), looks.get((kind, name)), by_type))
    )
    check_claims(identity, [name for kind, name in foreign if kind == kinds.CLAIM.name and looks[kind, name] == {}])


def check_claims(identity: Identity, missing: Sequence[str]) -> None:
    """Refuse claims that do not exist, as `docker compose up` does external volumes.

    Args:
        identity: The system that mounts them.
        missing: Their names.

    Raises:
        NotFound: There is one.
    """
    if not missing:
        return
    names = ", ".join(missing)
    hint = f"create it, or name one of those that `kubectl get pvc -n {identity.namespace}` lists"
    if identity.own_namespace:
        hint = "start it with -n where they are: a namespace of its own has no claims of others"
    raise NotFound(f"no claim {names} in the namespace {identity.namespace}, and this system mounts it", hint=hint)


def find_references(obj: object) -> Iterator[Reference]:
    """Find the Secrets, ConfigMaps and claims that an object names, wherever it does."""
    if isinstance(obj, list):
        for entry in obj:
            yield from find_references(entry)
    if not isinstance(obj, dict):
        return
    for key, value in obj.items():
        if key == "secretName" and isinstance(value, str):
            yield "Secret", value
        elif key == "claimName" and isinstance(value, str):
            yield "PersistentVolumeClaim", value
        elif isinstance(value, dict) and isinstance(value.get("name"), str):
            if key in ("secretRef", "secretKeyRef", "secret") or key.endswith("SecretRef"):
                yield "Secret", value["name"]
            elif key in ("configMap", "configMapRef", "configMapKeyRef") and value["name"] != "kube-root-ca.crt":
                yield "ConfigMap", value["name"]
        if key == "imagePullSecrets" and isinstance(value, list):
            yield from (("Secret", entry["name"]) for entry in value if isinstance(entry, dict) and "name" in entry)
        yield from find_references(value)


async def _look_at(
    api: KubeClient, identity: Identity, references: Iterable[Reference]
) -> dict[Reference, KubeObject | None]:
    listed = list(references)
    objects = await asyncio.gather(
        *(_look(api, kinds.KINDS[kind].path(identity.namespace, name)) for kind, name in listed)
    )
    return dict(zip(listed, objects, strict=True))


async def _look(api: KubeClient, path: str) -> KubeObject | None:
    """Read an object's metadata; {} where there is none, None where it is not ours to see."""
    try:
        return await api.call("GET", path, headers={"Accept": METADATA})
    except NotFound:
        return {}
    except Forbidden:
        return None


async def _list_names(api: KubeClient, identity: Identity, kind: str) -> set[str]:
    """List the names of the Secrets of a type."""
    try:
        items = await api.list(kinds.SECRET.path(identity.namespace), metadata=True, fieldSelector=f"type={kind}")
    except (Forbidden, NotFound):
        return set()
    return {obj["metadata"]["name"] for obj in items}


def _describe_owner(
    chart: Chart, identity: Identity, reference: Reference, obj: KubeObject | None, by_type: dict[str, set[str]]
) -> str:
    """Say whose an object is, "" where it may be used."""
    kind, name = reference
    if kind == "Secret" and (why := next((what for what, names in by_type.items() if name in names), "")):
        return why
    metadata: dict[str, Any] = (obj or {}).get("metadata") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if labels.get("owner") == "helm" or name.startswith("sh.helm.release.v1."):
        return SECRET_TYPES["helm.sh/release.v1"]
    if kind == "Secret" and annotations.get(ACCOUNT):
        return SECRET_TYPES["kubernetes.io/service-account-token"]
    owner = str(labels.get("tycho-guid") or identity.guid)
    if owner != identity.guid and not covers(chart.rights.grants, f"{SECTIONS[kind]}.name", name):
        return "another system's"
    return ""
