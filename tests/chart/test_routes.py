"""A URL as values of a release: what Helm makes of them, for each kind of route, kept and stripped."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tycho.chart import RouteContext, emit, mark_routed, release_values
from tycho.errors import ComposeError
from tycho.model import ServiceMetadata
from tycho.release import Identity
from tycho.urls import UrlOptions, read_options

GUID = "0" * 32
IDENTITY = Identity(guid=GUID, name="demo", release="rel", namespace="place", username="ada")
PATH = f"/p/ada/demo/{GUID}"
TEMPLATE = "https://apps.example.org/p/{user}/{name}/{guid}/"
GATEWAY = {"TYCHO_URL_ROUTE": "httproute", "TYCHO_URL_GATEWAY": "infra/public"}
WEB = "services: {web: {image: web, ports: ['8080:80'], x-tycho: {url: %s, urlVariables: [NB_PREFIX]}}}"
TWO = "services: {db: {image: db, ports: ['5432']}, web: {image: web, ports: ['80', '90']}, other: {image: other}}"


def options(template: str = TEMPLATE, **env: str) -> UrlOptions:
    read = read_options({"TYCHO_URL_TEMPLATE": template, **env})
    assert read is not None
    return read


def made(bench: Any, text: str, urls: UrlOptions, metadata: Any = None) -> tuple[Any, Any]:
    """The chart of a file, and the objects that Helm makes of it for the release of IDENTITY."""
    policy_result = mark_routed(bench.policy_result(text), urls)
    context = RouteContext(urls, IDENTITY)
    values = release_values(policy_result.system, metadata, guid=GUID, username="ada", context=context)
    chart = emit(policy_result)
    return chart, bench.render(chart, values)


def test_ingress_keeps_prefix(bench: Any) -> None:
    _, objects = made(bench, WEB % "keep", options(TYCHO_URL_CLASS="public"))
    ingress = objects.find("Ingress", "rel-web")
    assert ingress["spec"]["ingressClassName"] == "public"
    assert ingress["spec"]["tls"] == [{"hosts": ["apps.example.org"]}]
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "apps.example.org"
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["pathType"]) == (PATH, "Prefix")
    assert path["backend"]["service"]["port"]["number"] == 80
    env = objects.env("rel-web")
    assert (env["TYCHO_URL"], env["TYCHO_PATH"]) == (f"https://apps.example.org{PATH}/", PATH)
    assert env["NB_PREFIX"] == PATH
    annotations = objects.find("Deployment", "rel-web")["metadata"]["annotations"]
    assert annotations["tycho.dev/url"] == f"https://apps.example.org{PATH}/"


def test_ingress_nginx_strips_prefix(bench: Any) -> None:
    _, objects = made(bench, WEB % "strip", options(TYCHO_URL_CLASS="nginx"))
    ingress = objects.find("Ingress", "rel-web")
    assert {name.partition("/")[2]: text for name, text in ingress["metadata"]["annotations"].items()} == {
        "use-regex": "true",
        "rewrite-target": "/$2",
        "x-forwarded-prefix": PATH,
    }
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert (path["path"], path["pathType"]) == (f"{PATH}(/|$)(.*)", "ImplementationSpecific")


def test_traefik_strips_prefix(bench: Any) -> None:
    _, objects = made(bench, WEB % "strip", options(TYCHO_URL_CLASS="edge", TYCHO_URL_CONTROLLER="traefik"))
    middleware = objects.find("Middleware")
    assert middleware["spec"] == {"stripPrefix": {"prefixes": [PATH]}}
    ingress = objects.find("Ingress", "rel-web")
    assert ingress["metadata"]["annotations"] == {
        "traefik.ingress.kubernetes.io/router.middlewares": f"place-{middleware['metadata']['name']}@kubernetescrd"
    }
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["path"] == PATH


def test_http_route_strips_prefix(bench: Any) -> None:
    _, objects = made(bench, WEB % "strip", options(**GATEWAY))
    assert objects.names("Ingress") == set()
    route = objects.find("HTTPRoute", "rel-web")["spec"]
    assert route["parentRefs"] == [{"name": "public", "namespace": "infra"}]
    assert route["hostnames"] == ["apps.example.org"]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": PATH}}]
    rewrite, header = rule["filters"]
    assert rewrite["urlRewrite"] == {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}
    assert header["requestHeaderModifier"] == {"set": [{"name": "X-Forwarded-Prefix", "value": PATH}]}


def test_http_route_keeps_prefix(bench: Any) -> None:
    _, objects = made(bench, WEB % "keep", options(**GATEWAY))
    assert "filters" not in objects.find("HTTPRoute", "rel-web")["spec"]["rules"][0]


def test_nothing_to_strip_of_a_host(bench: Any) -> None:
    _, objects = made(bench, WEB % "strip", options("https://{name}-{guid}.example.org", TYCHO_URL_CLASS="other"))
    ingress = objects.find("Ingress", "rel-web")
    assert not ingress["metadata"]["annotations"]
    assert ingress["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/"
    assert (objects.env("rel-web")["TYCHO_PATH"], objects.env("rel-web")["NB_PREFIX"]) == ("", "/")


def test_unknown_class_cannot_strip(bench: Any) -> None:
    with pytest.raises(ComposeError) as refused:
        made(bench, WEB % "strip", options(TYCHO_URL_CLASS="public"))
    (problem,) = refused.value.problems
    assert (problem.path, problem.line) == ("services.web.x-tycho.url", 1)
    assert problem.message == 'Tycho does not know how the IngressClass "public" removes a prefix from a path'
    assert "TYCHO_URL_CONTROLLER" in problem.hint


@pytest.mark.parametrize(
    ("text", "routed"),
    [
        pytest.param(TWO, {"rel-db"}, id="first-published"),
        pytest.param(TWO.replace("'5432']", "'5432'], x-tycho: {url: none}"), {"rel-web"}, id="none"),
        pytest.param(TWO.replace("'90']", "'90'], x-tycho: {url: keep}"), {"rel-web"}, id="says-so"),
        pytest.param(TWO.replace("'5432'", "'53:53/udp'"), {"rel-web"}, id="tcp-alone"),
        pytest.param("services: {web: {image: web, expose: ['80']}}", set(), id="nothing-published"),
    ],
)
def test_which_service(bench: Any, text: str, routed: set[str]) -> None:
    _, objects = made(bench, text, options())
    assert objects.names("Ingress") == routed


def test_each_service(bench: Any) -> None:
    _, objects = made(bench, TWO, options("https://{service}.{guid}.example.org/"))
    hosts = {ingress["spec"]["rules"][0]["host"] for ingress in objects if ingress["kind"] == "Ingress"}
    assert hosts == {f"db.{GUID}.example.org", f"web.{GUID}.example.org"}


def test_two_services_for_one_url(bench: Any) -> None:
    text = TWO.replace("'5432']", "'5432'], x-tycho: {url: keep}").replace("'90']", "'90'], x-tycho: {url: strip}")
    with pytest.raises(ComposeError) as refused:
        made(bench, text, options())
    assert [problem.path for problem in refused.value.problems][:1] == ["services.web.x-tycho.url"]
    assert "db has the URL" in refused.value.problems[0].message


def test_host_of_the_file_stays(bench: Any) -> None:
    text = "services: {web: {image: web, ports: ['80'], x-tycho: {ingress: {host: shop.example}}}}"
    _, objects = made(bench, text, options())
    assert objects.find("Ingress", "rel-web")["spec"]["rules"][0]["host"] == "shop.example"


def test_unpublished_services_have_no_url(bench: Any) -> None:
    text = TWO.replace("'90']", "'90'], x-tycho: {url: keep}")
    _, objects = made(bench, text, options(), {"db": ServiceMetadata(port=5432)})
    assert objects.names("Ingress") == set()


@pytest.mark.parametrize("route", [{"TYCHO_URL_CLASS": "nginx"}, GATEWAY], ids=["ingress", "httproute"])
def test_notes_show_url(bench: Any, route: dict[str, str]) -> None:
    """By the release as by hand: who changes host and path in values sees those."""
    urls = options(**route)
    policy_result = mark_routed(bench.policy_result(WEB % "strip"), urls)
    chart, context = emit(policy_result), RouteContext(urls, IDENTITY)
    notes = notes_of(bench, chart, release_values(policy_result.system, guid=GUID, context=context))
    assert f"https://apps.example.org{PATH}/" in notes
    host = {"hosts": ["by.hand"], "hostnames": ["by.hand"], "path": "/there", "enabled": True}
    if "TYCHO_URL_ROUTE" in route:
        del host["hosts"]
        values = {"httpRoute": {**host, "parentRefs": [{"name": "public"}]}}
    else:
        del host["hostnames"]
        values = {"ingress": host}
    assert "http://by.hand/there" in notes_of(bench, chart, {"services": {"web": values}})


def notes_of(bench: Any, chart: Any, values: Any) -> str:
    """NOTES.txt as Helm renders it: written into a ConfigMap of the chart, which `helm template` shows."""
    text = str(chart.files["templates/NOTES.txt"])
    bench.count += 1
    folder = bench.folder / f"notes{bench.count}" / chart.name
    chart.write(folder)
    shown = folder / "templates/shown.yaml"
    shown.write_text(
        f'{{{{- define "notes" }}}}{text}{{{{ end }}}}\n'
        'kind: ConfigMap\napiVersion: v1\ndata:\n  notes: |\n{{ include "notes" . | indent 4 }}\n'
    )
    done = bench.program(
        "template", "rel", str(folder), "--values", "-", "-s", "templates/shown.yaml", stdin=yaml.safe_dump(values)
    )
    assert done.returncode == 0, done.stderr
    return str(yaml.safe_load(done.stdout)["data"]["notes"])


def test_no_port_no_url(bench: Any) -> None:
    chart = bench.chart("services: {web: {image: web, expose: ['80'], x-tycho: {url: strip}}}")
    (row,) = [row for row in chart.report if row.path == "services.web.x-tycho.url"]
    assert (row.outcome, row.reason) == ("ignored", "it publishes no TCP port")
