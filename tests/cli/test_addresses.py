"""Where published ports answer, in the tables of `tycho status`; the first four columns keep their places."""

from __future__ import annotations

import pytest

from tycho.cli import show
from tycho.release import Endpoint, Identity, Release, ServiceStatus


def service(name: str, *ports: int, host: str = "10.89.0.1", why: str = "") -> ServiceStatus:
    ends = tuple(
        Endpoint(service=name, ip_address=host, port=31000 + port, target=80, published=port) for port in ports
    )
    return ServiceStatus(name=name, kind="Deployment", ready=1, wanted=1, done=True, endpoints=ends, why=why)


def release(*services: ServiceStatus) -> Release:
    return Release(identity=Identity(guid="0" * 32, name="shop", release="shop-0", namespace="n"), services=services)


@pytest.mark.parametrize(
    ("services", "shown"),
    [
        ((service("db"), service("web", 80)), "web 80→10.89.0.1:31080, db"),
        ((service("web", 80, 443), service("a"), service("b"), service("c")),
         "web 80→10.89.0.1:31080, web 443→10.89.0.1:31443, a, +2"),
        ((service("a"), service("b"), service("c"), service("d")), "a, b, c, +1"),
        ((service("web", 80, host="::1"),), "web 80→[::1]:31080"),
        ((service("web", *range(12)),), "+2"),
    ],
)  # fmt: skip
def test_the_services_column(
    capsys: pytest.CaptureFixture[str], services: tuple[ServiceStatus, ...], shown: str
) -> None:
    show.status([release(*services)])
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["SYSTEM", "GUID", "IP_ADDRESS", "PORT"]
    assert [header.index(name) for name in ("GUID", "IP_ADDRESS", "PORT")] == [31, 67, 83]
    published = [end for service in services for end in service.endpoints]
    assert row.split()[3] == (str(published[0].port) if published else "--")
    assert row.endswith(shown)


def test_the_services_of_a_system(capsys: pytest.CaptureFixture[str]) -> None:
    long = "restarted 3 times: exit 3 " + "x" * 300
    show.services([release(service("web", 80, 443), service("db", why=long))])
    _, web, db = capsys.readouterr().out.splitlines()
    assert "80→10.89.0.1:31080,443→10.89.0.1:31443" in web
    assert db.endswith(long)
