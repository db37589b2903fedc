"""The places of a service, which one document holds all together, and those of everything beside the services."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath
from typing import Any

from tests.chart.places import Draft, Place, View, below, entry, hook, init, keys_with, of_container, of_pod, words


def env_of(name: str) -> Any:
    return lambda view, number, text: view.env(number)[name]


def note(key: str) -> Any:
    return lambda view, number, text: view.notes(number)[key]


def work_note(key: str) -> Any:
    return lambda view, number, text: view.workloads[number][0]["metadata"]["annotations"][key]


def paths(prefix: str) -> Any:
    """Mount paths below a prefix, without it."""
    return lambda view, number, text: [
        path.removeprefix(prefix) for path in view.mounts(number) if path.startswith(prefix)
    ]


def mount(draft: Draft, number: int, text: str) -> None:
    draft.add(number, "volumes", {"type": "volume", "source": "data", "target": f"/v/{text}"})
    draft.top("volumes").setdefault("data", {})


def subpath(draft: Draft, number: int, text: str) -> None:
    entry = {"type": "volume", "source": "data", "target": "/subpath", "volume": {"subpath": text}}
    draft.add(number, "volumes", entry)
    draft.top("volumes").setdefault("data", {})


def config_content(draft: Draft, number: int, text: str) -> None:
    draft.top("configs")[f"c{number}"] = {"content": text}
    draft.add(number, "configs", {"source": f"c{number}", "target": f"/c/{number}"})


def config_target(draft: Draft, number: int, text: str) -> None:
    draft.top("configs")["shared"] = {"content": "x"}
    draft.add(number, "configs", {"source": "shared", "target": f"/t/{text}"})


def secret_target(draft: Draft, number: int, text: str) -> None:
    draft.top("secrets")["shared"] = {"environment": "SHARED_SECRET"}
    draft.add(number, "secrets", {"source": "shared", "target": f"/k/{text}"})


def secret_value(draft: Draft, number: int, text: str) -> None:
    """A secret that a variable holds: it travels in the release's values."""
    draft.env[f"KEPT_{number}"] = text.replace("$$", "$")
    draft.top("secrets")[f"kept{number}"] = {"environment": f"KEPT_{number}"}
    draft.add(number, "secrets", {"source": f"kept{number}"})


def variable(draft: Draft, number: int, text: str) -> None:
    """What a variable is worth to an environment entry, and to a word."""
    draft.env[f"LIVE_{number}"] = text.replace("$$", "$")
    draft.service(number)["environment"]["READS"] = f"${{LIVE_{number}}}"
    draft.add(number, "entrypoint", f"${{LIVE_{number}}}")


def passed(draft: Draft, number: int, text: str) -> None:
    draft.env[f"PASSED_{number}"] = text.replace("$$", "$")
    draft.service(number)["environment"][f"PASSED_{number}"] = None


def env_file(draft: Draft, number: int, text: str) -> None:
    escaped = text.replace("$$", "$").replace("'", "\\'")
    draft.files[f"{number}.env"] = f"FILED='{escaped}'\n".encode(errors="surrogatepass")
    draft.service(number)["env_file"] = f"{number}.env"


def mounted_name(draft: Draft, number: int, text: str) -> None:
    """A file of a mounted folder is called so."""
    draft.files[f"tree{number}/{text}"] = b"of the folder"
    draft.add(number, "volumes", f"./tree{number}:/tree:ro")


def mounted_content(draft: Draft, number: int, text: str) -> None:
    draft.files[f"body{number}/file"] = text.encode(errors="surrogatepass")
    draft.add(number, "volumes", f"./body{number}:/body:ro")


def port(target: int, key: str) -> Any:
    entry = {"target": target, "published": str(target)}
    return lambda draft, number, text: draft.add(number, "ports", {**entry, key: text})


def services_of(view: View, number: int) -> Iterator[dict[str, Any]]:
    labels = view.workloads[number][1]["metadata"]["labels"]
    for rendered in view.objects:
        selector = rendered["spec"].get("selector") or {} if rendered["kind"] == "Service" else {}
        if selector and selector.items() <= labels.items():
            yield rendered


def service_ports(key: str) -> Any:
    return lambda view, number, text: [
        str(entry.get(key)) for service in services_of(view, number) for entry in service["spec"].get("ports", ())
    ]


def dns_options(view: View, number: int, text: str) -> object:
    options = view.pod(number)["dnsConfig"]["options"]
    return [text for option in options if (option["name"], option.get("value", "")) == text.partition(":")[::2]]


def addresses(view: View, number: int, text: str) -> object:
    return [alias["ip"] for alias in view.pod(number)["hostAliases"]]


def terms(field: str) -> Any:
    def look(view: View, number: int, text: str) -> object:
        affinity = view.pod(number)["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        expressions = [term for term_list in affinity["nodeSelectorTerms"] for term in term_list["matchExpressions"]]
        return [
            text if value == text.strip() else value
            for term in expressions
            for value in ([term["key"]] if field == "key" else term.get("values", ()))
        ]

    return look


def ready(view: View, number: int, text: str) -> object:
    return words(view.container(number)["readinessProbe"]["exec"]["command"])


def profile(key: str, kind: str) -> Any:
    return lambda view, number, text: view.container(number)["securityContext"][key].get("localhostProfile")


def alias(view: View, number: int, text: str) -> object:
    """The names of a service's Services; the case of a name is no matter to DNS."""
    names = [each["metadata"]["name"] for each in services_of(view, number)]
    return [text if name == text.lower() else name for name in names]


def link(view: View, number: int, text: str) -> object:
    """The names that a link gives to the peer."""
    return alias(view, -1, text)


def attach(draft: Draft, number: int, text: str) -> None:
    draft.service(number).setdefault("networks", {})["default"] = {"aliases": [text]}


def capability(side: str) -> Any:
    return lambda view, number, text: [
        text for name in view.container(number)["securityContext"]["capabilities"][side] if name == text.upper()
    ]


def under(prefix: str) -> Any:
    """Mount paths below a prefix, as Compose writes paths."""
    look = paths("")
    return lambda view, number, text: [text for path in look(view, number, text) if path == normpath(prefix + text)]


def user(view: View, number: int, text: str) -> object:
    """Numbers, without the zeros before them."""
    context = view.container(number)["securityContext"]
    held = [context[key] for key in ("runAsUser", "runAsGroup") if key in context]
    return text if held == [int(part) for part in text.split(":") if part] else held


PRE = "services.s{n}.pre_start"

SERVICE = [
    below("environment", "VALUE", env_of("VALUE")),
    below("environment", "v", keys_with(View.env, "v"), keys=True),
    below("environment", "DB_PASSWORD", env_of("DB_PASSWORD"), "secret environment"),
    Place("environment that reads", "services.s{n}.environment", variable, env_of("READS"),
          also="services.s{n}.entrypoint"),
    Place("environment passed on", "services.s{n}.environment", passed,
          lambda view, number, text: view.env(number)[f"PASSED_{number}"]),
    Place("env_file value", "services.s{n}.env_file", env_file, env_of("FILED"), also="{n}.env"),
    entry("command", of_container("args", words)),
    entry("entrypoint", of_container("command", words)),
    below("labels", "note", note("note")),
    below("labels", "l", keys_with(View.notes, "l"), keys=True),
    below("annotations", "about", note("about")),
    below("annotations", "a", keys_with(View.notes, "a", "l"), keys=True),
    below("deploy.labels", "of-work", work_note("of-work")),
    Place("image", "services.s{n}.image", lambda draft, number, text: draft.service(number).update(image=text),
          of_container("image"), also="=services.s{n}"),
    below("", "working_dir", of_container("workingDir"), "working_dir"),
    below("", "user", user, "user"),
    below("", "hostname", of_pod("hostname", lambda name: [name, name.title(), name.upper(), "NaN"]), "hostname"),
    below("", "container_name", alias, "container_name"),
    below("", "domainname", of_pod("dnsConfig", lambda field: field["searches"]), "domainname"),
    below("", "runtime", of_pod("runtimeClassName"), "runtime"),
    below("", "platform", of_pod("nodeSelector", lambda field: "/".join(
        field[key] for key in ("kubernetes.io/os", "kubernetes.io/arch") if key in field)), "platform"),
    below("", "stop_signal", lambda view, number, text: None, "stop_signal"),
    below("", "restart", lambda view, number, text: (
        text if text == "no" and "podFailurePolicy" in view.workloads[number][0]["spec"] else None), "restart"),
    below("", "pull_policy", of_container("imagePullPolicy"), "pull_policy"),
    below("", "cgroup_parent", lambda view, number, text: None, "cgroup_parent"),
    below("", "mac_address", lambda view, number, text: None, "mac_address"),
    below("", "userns_mode", lambda view, number, text: None, "userns_mode"),
    below("logging", "driver", lambda view, number, text: None),
    below("deploy", "endpoint_mode", lambda view, number, text: text if text in ("vip", "dnsrr") else None),
    below("deploy.restart_policy", "condition", lambda view, number, text: None),
    below("deploy.update_config", "failure_action", lambda view, number, text: None),
    entry("dns", of_pod("dnsConfig", lambda field: field["nameservers"])),
    entry("dns_search", of_pod("dnsConfig", lambda field: field["searches"])),
    entry("dns_opt", dns_options),
    below("extra_hosts", "10.0.0.9", lambda view, number, text: [
        host for entry in view.pod(number)["hostAliases"] for host in entry["hostnames"]], keys=True),
    below("extra_hosts", "e.example", addresses),
    entry("expose", lambda view, number, text: [
        text for port in service_ports("port")(view, number, text) if port == str(int(text))]),
    entry("group_add", lambda view, number, text: [
        text for group in view.pod(number)["securityContext"]["supplementalGroups"] if group == int(text)]),
    entry("cap_add", capability("add")),
    entry("cap_drop", capability("drop")),
    entry("security_opt", profile("seccompProfile", "seccomp"), "seccomp={}".format, "seccomp profile"),
    entry("security_opt", profile("appArmorProfile", "apparmor"), "apparmor={}".format, "apparmor profile"),
    entry("security_opt", of_pod("securityContext", lambda field: field["seLinuxOptions"]["type"]),
         "label=type:{}".format, "selinux type"),
    entry("security_opt", lambda view, number, text: None, name="security option"),
    entry("tmpfs", lambda view, number, text: [
        text for path in view.mounts(number) if path == "/m/" + text.partition(":")[0]], "/m/{}".format),
    entry("device_cgroup_rules", lambda view, number, text: None),
    entry("external_links", lambda view, number, text: None),
    entry("links", link, "peer:{}".format, "link alias", "services.s{n}.depends_on"),
    below("sysctls", "kernel.shm_rmid_forced", of_pod("securityContext", lambda field: [
        entry["value"] for entry in field["sysctls"]])),
    below("sysctls", "7", of_pod("securityContext", lambda field: [
        entry["name"] for entry in field["sysctls"]]), keys=True),
    Place("healthcheck word", "services.s{n}.healthcheck", lambda draft, number, text: draft.service(number).update(
        healthcheck={"test": ["CMD", "x", text]}), ready),
    Place("post_start word", "services.s{n}.post_start", lambda draft, number, text: draft.add(
        number, "post_start", {"command": ["x", text]}), hook("postStart", "")),
    Place("pre_stop word", "services.s{n}.pre_stop", lambda draft, number, text: draft.add(
        number, "pre_stop", {"command": ["x", text]}), hook("preStop", "")),
    Place("pre_start word", PRE, lambda draft, number, text: draft.add(
        number, "pre_start", {"command": ["x", text], "image": "i"}), hook("", "args")),
    Place("pre_start environment", PRE, lambda draft, number, text: draft.add(
        number, "pre_start", {"command": ["x"], "image": "i", "environment": {"OWN": text}}),
        lambda view, number, text: words(
            entry["value"] for container in view.pod(number)["initContainers"] for entry in container["env"]
            if entry["name"] == "OWN")),
    Place("pre_start environment key", PRE, lambda draft, number, text: draft.add(
        number, "pre_start", {"command": ["x"], "image": "i", "environment": {text: "own"}}),
        lambda view, number, text: [
            entry["name"] for container in view.pod(number)["initContainers"] for entry in container["env"]
            if entry.get("value") == "own"], keys=True),
    Place("pre_start working_dir", PRE, lambda draft, number, text: draft.add(
        number, "pre_start", {"command": ["x"], "image": "i", "working_dir": text}), init("workingDir")),
    Place("pre_start image", PRE, lambda draft, number, text: draft.add(
        number, "pre_start", {"command": ["x"], "image": text}), init("image")),
    Place("network alias", "services.s{n}.networks", attach, alias),
    Place("port name", "services.s{n}.ports", port(81, "name"), service_ports("name")),
    Place("port app_protocol", "services.s{n}.ports", port(82, "app_protocol"), service_ports("appProtocol")),
    Place("port host_ip", "services.s{n}.ports", port(83, "host_ip"), lambda view, number, text: None),
    Place("volume target", "services.s{n}.volumes", mount, under("/v/")),
    Place("filled path", "services.s{n}.volumes", mount,
          lambda view, number, text: [text for word in view.filled(number) if word == normpath("/v/" + text)]),
    Place("volume subpath", "services.s{n}.volumes", subpath,
          lambda view, number, text: view.mounts(number)["/subpath"].removeprefix("data/")),
    Place("mounted file name", "services.s{n}.volumes", mounted_name,
          lambda view, number, text: [text for path in view.files(number, "files-tree") if path == normpath(text)
                                      or not text], keys=True),
    Place("mounted content", "services.s{n}.volumes", mounted_content,
          lambda view, number, text: view.files(number, "files-body")["file"].decode(errors="surrogatepass"),
          keys=True),
    Place("config content", "configs.c{n}", config_content,
          lambda view, number, text: [body.decode() for body in view.files(number, f"config-c{number}").values()]),
    Place("config target", "services.s{n}.configs", config_target, paths("/t/")),
    Place("secret target", "services.s{n}.secrets", secret_target, paths("/k/")),
    Place("secret value", "secrets.kept{n}", secret_value,
          lambda view, number, text: list(view.secret(f"rel-kept{number}").values())),
    Place("constraint value", "services.s{n}.deploy", lambda draft, number, text: draft.inside(
        number, "deploy.placement").setdefault("constraints", []).append(f"node.labels.zone == {text}"),
        terms("value")),
    Place("constraint label", "services.s{n}.deploy", lambda draft, number, text: draft.inside(
        number, "deploy.placement").setdefault("constraints", []).append(f"node.labels.{text} == z"), terms("key")),
    Place("spread label", "services.s{n}.deploy", lambda draft, number, text: draft.inside(
        number, "deploy.placement").setdefault("preferences", []).append({"spread": f"node.labels.{text}"}),
        of_pod("topologySpreadConstraints", lambda listed: [entry["topologyKey"] for entry in listed])),
]  # fmt: skip
