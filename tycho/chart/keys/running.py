"""What becomes of keys about what runs, and how: each judge yields rows, with what is added to the key's path."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tycho.chart.hidden import tells_secret
from tycho.chart.keys.key import Case, Rows, approximated, ignored, rejected, translated
from tycho.chart.kinds import MODES
from tycho.chart.names import QUALIFIED, UNWRITABLE, label
from tycho.chart.reserved import is_allowed
from tycho.chart.translate.image import PULL
from tycho.chart.translate.placement import NODE_LABELS, SPREAD, readable
from tycho.model import Live, Reworded, template
from tycho.model.numbers import parse_id
from tycho.model.rights import read_grants

ENV_NAME = re.compile(r"[\x20-\x3c\x3e-\x7e]+")


def build(case: Case) -> Rows:
    """An image has to come from somewhere."""
    why = "a chart holds no build"
    if case.service.image:
        yield "", ignored(why, f"push {template(case.service.image)} before it is installed")
    else:
        image = f"{case.layout.chart}-{label(case.name)}"
        set_ = f"build and push the image before it is installed, or set services.{case.name}.image"
        yield "", approximated(f"image {image}", why, set_)


def pull_policy(case: Case) -> Rows:
    """Kubernetes knows no age of an image."""
    if case.value == "build":
        yield (
            "",
            approximated("imagePullPolicy: IfNotPresent", "a cluster does not build", "build and push the image"),
        )
    elif case.value not in PULL:
        yield (
            "",
            approximated(
                "imagePullPolicy: Always", "Kubernetes knows no age of an image", "give images tags that do not move"
            ),
        )


def command(case: Case) -> Rows:
    """A line whose variables bring blanks or quotes is split when it is rendered; no secret may be torn apart there."""
    if case.value and isinstance(case.value[0], Reworded) and tells_secret(case.value[0].line, "command"):
        yield "", rejected("it holds a secret, and a variable splits this line into other words", "write a list")


def entrypoint(case: Case) -> Rows:
    """An entrypoint can be replaced, not taken away."""
    yield from command(case)
    if case.value == ():
        if case.service.command:
            yield "", translated("command, from the compose file's command (live)")
        else:
            yield (
                "",
                approximated("", "an image's entrypoint cannot be taken away alone", "write the command out"),
            )


def off(case: Case) -> Rows:
    """A key that asks for nothing."""
    if not case.value:
        yield "", translated("nothing to do")


ENVIRONMENT = "env (live); in a Secret what reads variables or is secret"
PASSED = "where nothing sets it, the image's own value stays; Docker takes that out, too"


def environment(case: Case) -> Rows:
    """Any printable name will do."""
    if passed := sorted(case.service.environment_pass):
        yield "", translated(ENVIRONMENT, but=f"{', '.join(passed)}: {PASSED}")
    for name, value in case.value.items():
        if not ENV_NAME.fullmatch(name):
            yield f".{name}", rejected("its name is not printable ASCII", "rename it")
        elif isinstance(value, str) and UNWRITABLE.search(value):
            yield (
                f".{name}",
                rejected("it holds a control character that the API server refuses", "take it from a file"),
            )


def annotated(case: Case) -> Rows:
    """Annotations have names of a certain form."""
    for name, value in case.value.items():
        if not QUALIFIED.fullmatch(name):
            yield (
                f".{name}",
                ignored("an annotation cannot have this name", "use letters, digits, - _ . up to 63"),
            )
        elif UNWRITABLE.search(str(value)):
            yield (
                f".{name}",
                rejected("it holds a control character that the API server refuses", "remove it"),
            )
        elif not is_allowed(name, str(value), (*read_grants(case.layout.system), *read_grants(case.service))):
            yield f".{name}", ignored("this name is Kubernetes', Helm's or Tycho's own to set", "use another name")


def mode(case: Case) -> Rows:
    """Swarm's modes."""
    if case.value not in MODES:
        yield "", rejected(f'"{case.value}" is not a mode', f"one of {', '.join(MODES)}")
    elif case.value == "global-job":
        yield "", approximated("Job", "Kubernetes has no job for every node", "set deploy.replicas")


def endpoint_mode(case: Case) -> Rows:
    """Addresses of the pods, or one of the Service."""
    if case.value not in ("vip", "dnsrr"):
        yield "", rejected(f'"{case.value}" is not a mode', "vip or dnsrr")


BESIDE = "more than one of them share the node of their volume: from one to several, every pod is replaced once"


def replicas(case: Case) -> Rows:
    """A DaemonSet has as many pods as there are nodes."""
    if case.kind in ("DaemonSet", "CronJob"):
        yield "", ignored(f"a {case.kind} has no number of replicas", "remove it, or the mode")
    elif case.kind == "Deployment" and case.pod.held:
        yield "", translated("replicas (live)", but=BESIDE)


def rollout(case: Case) -> Rows:
    """What holds a volume, or has a name of its own, is not replaced beside itself."""
    if case.kind == "StatefulSet" and case.value not in (1, "stop-first"):
        yield "", approximated("one pod after the other", "a StatefulSet replaces its pods by name", "parallelism: 1")
    elif case.kind == "Deployment" and case.pod.held and case.value not in (1, "stop-first"):
        yield (
            "",
            approximated(
                "strategy: Recreate",
                "a volume that one node holds is let go before the next pod takes it",
                "x-tycho: {accessModes: [ReadWriteMany]} on the volume, with a class that can",
            ),
        )


def failure_action(case: Case) -> Rows:
    """A rollout that does not become ready stops."""
    if case.value == "pause":
        yield "", translated("a failed rollout stops where it is")


def constraints(case: Case) -> Rows:
    """What Swarm says of nodes, as labels that Kubernetes gives them."""
    for index, text in enumerate(case.value):
        if not readable(str(text)):
            known = f"{', '.join(NODE_LABELS)}, node.labels.NAME"
            yield f"[{index}]", ignored(f'"{text}" names no label of nodes', f"known: {known}")


def preferences(case: Case) -> Rows:
    """Spread over a label of the nodes."""
    for index, preference in enumerate(case.value):
        if not SPREAD.fullmatch(str(preference.get("spread", ""))):
            yield f"[{index}]", ignored("it names no label of nodes", "spread: node.labels.NAME")


def max_per_node(case: Case) -> Rows:
    """One for each node is exact."""
    if case.value == 1:
        yield "", translated("podAntiAffinity")


def gpus(case: Case) -> Rows:
    """Devices are counted, not chosen."""
    for index, device in enumerate(case.value):
        about = device if isinstance(device, Mapping) else {}
        if about.get("device_ids"):
            yield (
                f"[{index}].device_ids",
                approximated("as many devices", "a device plugin chooses them", "write count"),
            )
        elif about.get("count") in ("all", -1) or (not about.get("count") and not about.get("device_ids")):
            yield (
                f"[{index}].count",
                approximated("1 device", "all of a node's devices cannot be asked for", "set count"),
            )


def reserved(case: Case) -> Rows:
    """What is asked for is within the limit, as far as both are known."""
    limits, service = case.service.deploy.resources.limits, case.service
    limit = {int: limits.memory or service.mem_limit, float: limits.cpus or service.cpus}[
        float if isinstance(case.value, float) else int
    ]
    if limit and case.value > limit and not isinstance(limit, Live) and not isinstance(case.value, Live):
        yield "", rejected("it is more than the limit", "reserve at most as much as the limit")


def pre_start(case: Case) -> Rows:
    """Containers before the container."""
    for index, hook in enumerate(case.value):
        if own := sorted(set(hook.rest) & set(hook.written)):
            yield (
                f"[{index}]",
                ignored(f"{', '.join(own)}: those of the service hold here too", "say it of the service"),
            )
        if hook.user and any(part and parse_id(part) is None for part in hook.user.split(":")):
            yield (
                f"[{index}].user",
                rejected(f'"{hook.user}" is a name, and Kubernetes takes numbers', "write the number"),
            )
        if not hook.per_replica:
            yield (
                f"[{index}]",
                approximated("init container", "it runs before every pod", "make it a service to wait for"),
            )


def hook(case: Case) -> Rows:
    """One command, as the container's own user and in its own folder."""
    for index, one in enumerate(case.value):
        said_too = [key for key in ("user", "privileged", "working_dir", "environment") if getattr(one, key)]
        if index:
            yield (
                f"[{index}]",
                rejected("Kubernetes runs one command", "put them into one: sh -c 'first && second'"),
            )
        elif said_too:
            yield (
                f"[{index}].{said_too[0]}",
                rejected("a hook runs as its container does", "say it in the command"),
            )


def stop_signal(case: Case) -> Rows:
    """SIGTERM is what everybody gets."""
    if str(case.value).upper().removeprefix("SIG") in ("TERM", "15"):
        yield "", translated("what Kubernetes sends")
