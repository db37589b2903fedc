"""Peers call container ports; outside answer the published ones, UDP and ranges too; a loopback port stays inside."""

import socket

import pytest

from tests.e2e.system import System, eventually, fetch

SHOWS = ("ports", "ports[].host_ip", "ports[].protocol", "ports[].published", "ports[].target")


def verify(system: System) -> None:
    system.up()
    for port in (8000, 9000, 7001, 7002):
        ask = f"wget -q -O - http://web:{port}/"
        eventually(lambda ask=ask, port=port: system.sh("tool", ask) == str(port))
    for target, published in {8000: 18080, 7001: 17001, 7002: 17002}.items():
        address = system.address("web", target)
        assert address[1] == published
        assert fetch(address) == (200, str(target))
    host, _ = system.address("web", 8000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(5)
        udp.sendto(b"hello", (host, 15005))
        assert udp.recv(100) == b"5005 hello"
    outside = [service for service in system.get("services") if service["spec"]["type"] != "ClusterIP"]
    assert outside
    assert not {port["targetPort"] for service in outside for port in service["spec"]["ports"]} & {9000}
    for port in (9000, 19000):
        with pytest.raises(OSError, match=r".*"):
            fetch((host, port))
