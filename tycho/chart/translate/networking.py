"""`hostname`, `dns`, `dns_search`, `dns_opt`, `domainname`, `extra_hosts`."""

from __future__ import annotations

from tycho.chart.container import Expression, Text
from tycho.chart.translate.text import to_text
from tycho.chart.workload import DnsConfig
from tycho.model import Service

RESOLVERS = 2  # that a pod may have after the cluster's


def translate_dns(service: Service) -> DnsConfig:
    """Translate the keys about a resolver."""
    searches = [*map(to_text, service.dns_search), *filter(None, [to_text(service.domainname)])]
    return DnsConfig(
        nameservers=tuple(to_text(address) for address in service.dns[:RESOLVERS]),
        searches=tuple(domain for domain in searches if isinstance(domain, Expression) or domain not in ("", ".")),
        options=tuple(_split_option(to_text(option)) for option in service.dns_opt),
    )


def _split_option(text: Text) -> tuple[Text, Text]:
    """Split name and value of a resolver's option; one whose variable may bring the colon is split by the chart."""
    name, _, value = text.partition(":")
    if isinstance(text, Expression):
        return (text, "") if "$" in name else (name, Expression(value))
    return name, value


def translate_hosts(service: Service) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Translate `extra_hosts` into hostAliases: each address once, with its names."""
    names: dict[str, list[str]] = {}
    for host, addresses in service.extra_hosts.items():
        for address in addresses:
            if address != "host-gateway":
                names.setdefault(address.strip("[]"), []).append(host)
    return tuple((address, tuple(hosts)) for address, hosts in sorted(names.items()))
