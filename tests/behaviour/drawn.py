"""Systems that nobody wrote: services with traits drawn by Hypothesis, so that keys meet as in no file of ours."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.behaviour.project import Json, Project, merge

FIRST_PORT = 21000  # published by drawn systems, so that those which live at the same time never share one
FEW, MANY = 4, 40  # systems of the bounded and of the deep choice
CHECK = {"test": ["CMD", "/probe", "health"], "interval": "1s", "retries": 9}
# Of each concern a service has one trait or none. `%s` is the service's own name.
TRAITS: dict[str, list[Json]] = {
    "image": [{"image": f"{name}:1"} for name in ("plain", "bare", "seeded", "owned", "worded", "named", "user")],
    "user": [{"user": "1000:1000"}, {"user": "0"}, {"user": "1234", "group_add": ["2345"]}],
    "words": [
        {"environment": {"A": "1", "B": "two words", "C": "$$(A)"}},
        {"environment": ["EMPTY=", "EQUAL=a=b"], "working_dir": "/tmp"},  # noqa: S108 - of a container
    ],
    "rights": [
        {"cap_drop": ["ALL"]},
        {"cap_drop": ["ALL"], "cap_add": ["CHOWN", "DAC_OVERRIDE"]},
        {"read_only": True},
        {"security_opt": ["no-new-privileges:true"]},
    ],
    "limits": [{"mem_limit": "96m"}, {"cpus": 0.5}, {"shm_size": "16m"}, {"pids_limit": 60}],
    "memory": [{"tmpfs": ["/scratch"]}, {"tmpfs": ["/scratch:size=2m"]}],
    "files": [
        {"volumes": ["shared:/state"]},
        {"volumes": ["shared:/state:ro"]},
        {"volumes": ["own-%s:/data"]},
        {"volumes": ["./conf:/etc/app:ro"]},
        {"volumes": [{"type": "volume", "source": "own-%s", "target": "/deep/er", "volume": {"nocopy": True}}]},
    ],
    "texts": [
        {"configs": [{"source": "text", "target": "/etc/text.conf"}]},
        {"secrets": ["key"]},
        {"configs": ["text"], "secrets": [{"source": "key", "target": "/run/other/key"}]},
    ],
    "networks": [{"networks": ["front"]}, {"networks": ["back"]}, {"networks": {"front": {"aliases": ["also-%s"]}}}],
    "name": [{"hostname": "host-%s"}, {"container_name": "container-%s"}, {"extra_hosts": ["else=192.0.2.4"]}],
    "life": [{"restart": "always"}, {"restart": "unless-stopped"}, {"init": True}, {"stop_grace_period": "2s"}],
    "health": [{"healthcheck": CHECK}],
    "scale": [{"deploy": {"replicas": 2}}],
}
PARTS: Json = {
    "volumes": {"shared": {}},
    "configs": {"text": {"file": "./text.conf"}},
    "secrets": {"key": {"file": "./key"}},
    "networks": {"front": {}, "back": {}},
}
FILES = {"conf/a.conf": "a\n", "text.conf": "text\n", "key": "key\n"}
MOMENTS = ([], ["restarted"], ["again"], ["rebuilt"], ["stopped"])


def drawn_projects(count: int) -> dict[str, Project]:
    """Draw systems, the same ones each time, named drawn-01, drawn-02, …; the fewer are the first of the many."""
    projects: dict[str, Project] = {}

    @settings(
        max_examples=MANY * 3, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_trees(), st.sampled_from(MOMENTS))
    def keep(tree: Json, moments: list[str]) -> None:
        if len(projects) < MANY and all(tree != project.tree for project in projects.values()):
            number = len(projects) + 1
            name = f"drawn-{number:02}"
            projects[name] = Project(name, _publish(tree, number), {"files": FILES, "moments": moments})

    keep()
    return dict(list(projects.items())[:count])


@st.composite
def _trees(draw: st.DrawFn) -> Json:
    """Draw a compose file of two to four services."""
    names = ["web", "db", "job", "side"][: draw(st.integers(2, 4))]
    services: Json = {}
    for name in names:
        concerns = draw(st.lists(st.sampled_from(sorted(TRAITS)), min_size=2, max_size=5, unique=True))
        service: Json = {"image": "plain:1", "command": ["serve", f"as={name}", "listen=8080"], "expose": ["8080"]}
        for concern in concerns:
            service = merge(service, _fill(draw(st.sampled_from(TRAITS[concern])), name))
        if services and draw(st.booleans()):
            other = draw(st.sampled_from(sorted(services)))
            condition = "service_healthy" if "healthcheck" in services[other] else "service_started"
            service["depends_on"] = {other: {"condition": condition}}
        if "deploy" not in service and "container_name" not in service and draw(st.booleans()):
            service["ports"] = ["published:8080"]
        if "deploy" in service:
            service.pop("container_name", None)
        services[name] = service
    return {"services": services, **_used_parts(services)}


def _fill(trait: Any, name: str) -> Any:
    """Write a service's name into its trait."""
    if isinstance(trait, dict):
        return {key: _fill(value, name) for key, value in trait.items()}
    if isinstance(trait, list):
        return [_fill(value, name) for value in trait]
    return trait.replace("%s", name) if isinstance(trait, str) else trait


def _used_parts(services: Json) -> Json:
    """Declare the volumes, networks, configs and secrets that services use."""
    text = str(services)
    own = {f"own-{name}": {} for name in services if f"own-{name}" in text}
    parts = {section: {name: part for name, part in entries.items() if f"'{name}" in text}
             for section, entries in PARTS.items()}  # fmt: skip
    parts["volumes"].update(own)
    return {section: entries for section, entries in parts.items() if entries}


def _publish(tree: Json, number: int) -> Json:
    """Give each published port a number of its own."""
    services = {}
    for index, (name, service) in enumerate(tree["services"].items()):
        ports = [f"{FIRST_PORT + number * 10 + index}:8080" for _ in service.get("ports", ())]
        services[name] = {**service, "ports": ports} if ports else service
    return {**tree, "services": services}
