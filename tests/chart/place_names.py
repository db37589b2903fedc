"""The places beside a service's own: names of everything, what exists already, and what belongs to the chart."""

from __future__ import annotations

from typing import Any

from tests.chart.places import Draft, Place, View

ZONES = 10_000  # added to the numbers of jobs, which are services beside the others


def put_name(section: str, key: str = "", entry: Any = None) -> Any:
    """Call something so, and have a service use it."""

    def put(draft: Draft, number: int, text: str) -> None:
        draft.top(section)[text] = dict(entry or {})
        if key:
            mount = {"type": "volume", "source": text, "target": "/d"}
            draft.add(number, key, mount if key == "volumes" else text)

    return put


def called(view: View, number: int, text: str) -> object:
    return view.notes(number)["tycho.dev/service"]


def job(draft: Draft, number: int, text: str) -> None:
    draft.service(number, text, "jobs")["triggers"] = {"manual": True}


def profiles(draft: Draft, number: int, text: str) -> None:
    draft.service(number)["profiles"] = [text]
    draft.profiles.append(text.replace("$$", "$"))


def exists(section: str, key: str, entry: Any) -> Any:
    """Something that exists already, called so."""

    def put(draft: Draft, number: int, text: str) -> None:
        draft.top(section)[f"x{number}"] = {"external": True, "name": text}
        draft.add(number, key, entry(f"x{number}"))

    return put


def of_volume(*steps: str) -> Any:
    def look(view: View, number: int, text: str) -> object:
        fields = []
        for volume in view.pod(number)["volumes"]:
            node: Any = volume
            for step in steps:
                node = node.get(step) or {}
            fields.append(node)
        return fields

    return look


def volume_key(*path: str) -> Any:
    """A key of a volume; the last step is the key itself."""

    def put(draft: Draft, number: int, text: str) -> None:
        part = draft.top("volumes").setdefault(f"vol{number}", {})
        for step in path[:-1]:
            part = part.setdefault(step, {})
        if path[-1]:
            part[path[-1]] = text
        else:
            part[text] = "value"
        if f"vol{number}:/vol" not in draft.service(number).setdefault("volumes", []):
            draft.add(number, "volumes", f"vol{number}:/vol")

    return put


def claim(view: View, number: int) -> Any:
    return view.named("PersistentVolumeClaim", f"rel-vol{number}")


def nfs(draft: Draft, number: int, text: str) -> None:
    options = {"type": "nfs", "o": "addr=10.0.0.1", "device": f":/{text}"}
    draft.top("volumes")[f"nfs{number}"] = {"driver_opts": options}
    draft.add(number, "volumes", f"nfs{number}:/nfs")


def server(draft: Draft, number: int, text: str) -> None:
    options = {"type": "nfs", "o": f"addr={text}", "device": ":/"}
    draft.top("volumes")[f"srv{number}"] = {"driver_opts": options}
    draft.add(number, "volumes", f"srv{number}:/srv")


def image_volume(draft: Draft, number: int, text: str) -> None:
    draft.add(number, "volumes", {"type": "image", "source": f"i{text}", "target": "/img"})


def ours(key: str) -> Any:
    """What a service says in `x-tycho: {ingress: …}`."""

    def put(draft: Draft, number: int, text: str) -> None:
        draft.service(number)["x-tycho"] = {"ingress": {"path": f"/{number}", "port": 80, key: text}}

    return put


def probe(field: str) -> Any:
    """What a service says in `x-tycho: {readinessProbe: …}`."""

    def put(draft: Draft, number: int, text: str) -> None:
        actions = {"path": {"httpGet": {"path": f"/{text}", "port": 80}}, "service": {"grpc": {"port": 1, field: text}}}
        draft.service(number)["x-tycho"] = {"readinessProbe": actions[field]}

    return put


def hosts(view: View, number: int, text: str) -> object:
    return [
        rule.get("host", "")
        for rendered in view.objects
        if rendered["kind"] == "Ingress"
        for rule in rendered["spec"]["rules"]
    ]


def routes(view: View, number: int, text: str) -> object:
    rules = [rule for rendered in view.objects if rendered["kind"] == "Ingress" for rule in rendered["spec"]["rules"]]
    return [path["path"].replace("/", "", len(path["path"]) < 2) for rule in rules for path in rule["http"]["paths"]]


def schedule(draft: Draft, number: int, text: str) -> None:
    draft.service(number)["x-tycho"] = {"schedule": text}


def zone(draft: Draft, number: int, text: str) -> None:
    job = draft.service(number + ZONES, f"j{number}", "jobs")
    job["triggers"] = {"schedule": [{"cron": "0 3 * * *", "timezone": text}]}


def entrance(view: View, number: int, text: str) -> Any:
    first, *others = [shown for shown in view.objects if shown["kind"] == "Ingress"]
    assert all(other["spec"]["tls"] == first["spec"]["tls"] for other in others)  # what is said of all is in each
    return first


def ingress(draft: Draft, key: str) -> Any:
    draft.document["services"]["peer"]["x-tycho"] = {"ingress": {"port": 80}}
    return draft.top("x-tycho").setdefault("ingress", {}).setdefault(key, [] if key == "tls" else {})


def annotation(draft: Draft, number: int, text: str) -> None:
    ingress(draft, "annotations")[f"k{number}"] = text


def tls(draft: Draft, number: int, text: str) -> None:
    listed = ingress(draft, "tls")
    listed += [{"secretName": "none"}] * (number - len(listed))  # so that each keeps its place
    listed.append({"hosts": [text], "secretName": text})


def given(draft: Draft, number: int, text: str) -> None:
    """A value that the caller gives with the release, which is no compose text."""
    draft.service(number)
    draft.metadata[f"s{number}"] = {"podAnnotations": {"given": text}}


EVERYTHING = [
    Place("service name", "services.{p}", lambda draft, number, text: draft.service(number, text) and None,
          called, keys=True),
    Place("job name", "jobs.{p}", job,
          called, keys=True),
    Place("network name", "networks.{p}", put_name("networks", "networks"), lambda view, number, text: text, keys=True,
          also="services.s{n}.networks"),
    Place("volume name", "volumes.{p}", put_name("volumes", "volumes"),
          lambda view, number, text: text if view.mounts(number)["/d"] == "data" else None, keys=True,
          also="services.s{n}.volumes"),
    Place("config name", "configs.{p}", put_name("configs", "configs", {"content": "x"}),
          lambda view, number, text: [path.lstrip("/") for path in view.mounts(number)], keys=True,
          also="services.s{n}.configs"),
    Place("secret name", "secrets.{p}", put_name("secrets", "secrets", {"environment": "SHARED_SECRET"}),
          lambda view, number, text: [path.removeprefix("/run/secrets/") for path in view.mounts(number)], keys=True,
          also="services.s{n}.secrets"),
    Place("profile", "services.s{n}.profiles", profiles, lambda view, number, text: view.notes(number) and text),
    Place("external volume", "volumes.x{n}", exists("volumes", "volumes", "{}:/x".format),
          of_volume("persistentVolumeClaim", "claimName")),
    Place("external secret", "secrets.x{n}", exists("secrets", "secrets", str), of_volume("secret", "secretName")),
    Place("external config", "configs.x{n}", exists("configs", "configs", str), of_volume("configMap", "name")),
    Place("volume label", "volumes.vol{n}.labels", volume_key("labels", "about"),
          lambda view, number, text: claim(view, number)["metadata"]["annotations"]["about"]),
    Place("volume label key", "volumes.vol{n}.labels", volume_key("labels", ""),
          lambda view, number, text: list(claim(view, number)["metadata"]["annotations"]), keys=True),
    Place("volume driver", "volumes.vol{n}.driver", volume_key("driver"), lambda view, number, text: None),
    Place("volume size", "volumes.vol{n}.x-tycho", volume_key("x-tycho", "size"),
          lambda view, number, text: claim(view, number)["spec"]["resources"] and text),
    Place("volume option size", "volumes.vol{n}.driver_opts", volume_key("driver_opts", "size"),
          lambda view, number, text: claim(view, number)["spec"]["resources"] and text),
    Place("storage class", "volumes.vol{n}.x-tycho", volume_key("x-tycho", "class"),
          lambda view, number, text: claim(view, number)["spec"].get("storageClassName", "")),
    Place("nfs path", "volumes.nfs{n}", nfs, lambda view, number, text: [
        path.removeprefix("/") for path in of_volume("nfs", "path")(view, number, text) if path]),
    Place("nfs server", "volumes.srv{n}", server, lambda view, number, text: [
        text for address in of_volume("nfs", "server")(view, number, text) if address == text.partition(",")[0]]),
    Place("image volume", "services.s{n}.volumes", image_volume, lambda view, number, text: [
        image.removeprefix("i") for image in of_volume("image", "reference")(view, number, text) if image]),
    Place("ingress host", "services.s{n}.x-tycho", ours("host"), hosts),
    Place("ingress path", "services.s{n}.x-tycho", ours("path"), routes),
    Place("probe path", "services.s{n}.x-tycho", probe("path"), lambda view, number, text:
          view.container(number)["readinessProbe"]["httpGet"]["path"].removeprefix("/")),
    Place("probe service", "services.s{n}.x-tycho", probe("service"), lambda view, number, text:
          view.container(number)["readinessProbe"]["grpc"]["service"]),
    Place("ingress annotation", "x-tycho.ingress.annotations.k{n}", annotation,
          lambda view, number, text: entrance(view, number, text)["metadata"]["annotations"].get(f"k{number}")),
    Place("ingress tls", "x-tycho.ingress.tls[{n}]", tls, lambda view, number, text: [
        entry["secretName"] for entry in entrance(view, number, text)["spec"]["tls"] if entry.get("hosts") == [text]]),
    Place("schedule", "services.s{n}.x-tycho", schedule,
          lambda view, number, text: view.workloads[number][0]["spec"]["schedule"]),
    Place("time zone", "jobs.j{n}.triggers", zone,
          lambda view, number, text: view.workloads[number + ZONES][0]["spec"].get("timeZone", "")),
    Place("metadata value", "", given, lambda view, number, text: view.notes(number)["given"], keys=True),
]  # fmt: skip
