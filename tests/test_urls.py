"""Templates of URLs: what an operator may write, what names become in them, and what is told apart."""

from __future__ import annotations

import re

import pytest

from tycho.errors import UsageError
from tycho.urls import dns_name, parse_template, read_options

GUID = "0123456789abcdef" * 2
WHO = {"user": "ada", "guid": GUID, "service": "web"}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        pytest.param("https://{name}-{guid}.apps.example.org/", f"https://shop-{GUID}.apps.example.org/", id="host"),
        pytest.param(
            "https://example.org/p/{user}/{name}/{guid}/", f"https://example.org/p/ada/shop/{GUID}/", id="path"
        ),
        pytest.param("http://{service}.{guid}.test:8443", f"http://web.{GUID}.test:8443/", id="port"),
        pytest.param("https://{name}.{user}.test/{service}", "https://shop.ada.test/web/", id="without-guid"),
    ],
)
def test_place(template: str, url: str) -> None:
    assert parse_template(template).place(name="shop", **WHO).url == url


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("https://{nmae}-{guid}.example.org/", "{nmae} is not a placeholder"),
        ("https:///{guid}/", "it has no host"),
        ("ftp://{guid}.example.org/", "is not a URL"),
        ("https://apps.example.org/{name}/", "two systems could get the same URL"),
        ("https://{user}.example.org/", "two systems could get the same URL"),
        ("https://{name}-{user}.example.org/", "could be the same for two systems"),
        ("https://{name}-{user}-{service}-{guid}.example.org/", "leaves no room for names in 63 characters"),
        ("https://{guid}.example.org/?x", "is not a part of a path"),
        ("https://apps_1.example.org/{guid}", "is not a part of a host name"),
        ("https://{guid/", "is not a part of a host name"),
        ("https://example.org/../{guid}", "stands between two separators"),
        ("https://-{guid}.example.org", "begins or ends with a dash"),
        ("https://10.0.0.1/{guid}", "is an address"),
        ("https://{guid}.example.org:99999", "is not a port"),
        ("https://{{guid}}.example.org", "is not a part of a host name"),
    ],
)  # fmt: skip
def test_templates_that_are_refused(template: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)) as refused:
        parse_template(template)
    assert refused.value.message.startswith("TYCHO_URL_TEMPLATE: ")
    assert refused.value.hint


@pytest.mark.parametrize(
    "name", ["My_Shop", "a" * 300, "{guid}", "../..", "$(id)", "<% 1 %>", "é", "-", "a b", "shop."]
)
def test_names_are_safe(name: str) -> None:
    address = parse_template("https://{name}-{guid}.{service}.example.org/{user}/").place(
        name=name, user=name, guid=GUID, service=name
    )
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", label) for label in address.host.split("."))
    assert re.fullmatch(r"/[a-z0-9-]+", address.path)
    assert len(address.host) <= 253


def test_names_stay_apart() -> None:
    names = ["shop", "Shop", "sh_op", "sh-op", "sh.op", "a" * 60, "a" * 61]
    assert len({dns_name(name) for name in names}) == len(names)


def test_read_options() -> None:
    template = {"TYCHO_URL_TEMPLATE": "https://{guid}.example.org/"}
    assert read_options({}) is None
    options = read_options({**template, "TYCHO_URL_CLASS": "nginx"})
    assert options is not None
    assert (options.route, options.controller) == ("ingress", "ingress-nginx")
    gateway = {"TYCHO_URL_ROUTE": "httproute", "TYCHO_URL_GATEWAY": "infra/public/https"}
    options = read_options({**template, **gateway})
    assert options is not None
    assert options.gateway is not None
    assert (options.gateway.namespace, options.gateway.name, options.gateway.section) == ("infra", "public", "https")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"TYCHO_URL_ROUTE": "route"}, 'TYCHO_URL_ROUTE: "route" is not a kind of route'),
        ({"TYCHO_URL_ROUTE": "httproute"}, "TYCHO_URL_GATEWAY: an HTTPRoute needs a Gateway"),
        ({"TYCHO_URL_CONTROLLER": "kong"}, 'TYCHO_URL_CONTROLLER: "kong" is not a controller that is known here'),
        ({"TYCHO_URL_CLASS": "a b"}, 'TYCHO_URL_CLASS: "a b" is not the name of an IngressClass'),
    ],
)
def test_options_that_are_refused(variables: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        read_options({"TYCHO_URL_TEMPLATE": "https://{guid}.example.org/", **variables})
