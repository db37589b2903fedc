"""Host names, extra hosts, name servers and search domains are those that the file says."""

import json

from tests.e2e.system import System

SHOWS = ("container_name", "dns", "dns_opt", "dns_search", "extra_hosts", "hostname", "labels")


def verify(system: System) -> None:
    system.up()
    assert system.sh("app", "hostname") == "chosen"
    hosts = [line.split() for line in system.sh("app", "cat /etc/hosts").splitlines() if line.startswith("192")]
    assert sorted(hosts) == [["192.0.2.7", "elsewhere", "also"], ["192.0.2.8", "third"]]
    resolv = system.sh("app", "cat /etc/resolv.conf")
    assert "search.test" in resolv
    assert {"ndots:3", "timeout:1"} <= set(resolv.split())
    resolv = system.sh("away", "cat /etc/resolv.conf")  # the cluster's server comes first, for it knows the services
    servers = [line.split()[1] for line in resolv.splitlines() if line.startswith("nameserver")]
    assert servers[1:] == ["192.0.2.53"]
    assert system.sh("away", "wget -q -O - http://app/said") == "hello"
    for name in ("app", "chosen", "the-app"):
        assert system.sh("tool", f"nslookup {name}.{system.space}.svc.cluster.local | grep -c ^Name") == "1"
    assert "com.example.about" in json.dumps(system.pods("app")[0]["metadata"]["annotations"])
