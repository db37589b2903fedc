"""Names, Services, networks: who finds whom, and who may call."""

from __future__ import annotations

from typing import Any

SHOP = """
services:
  web: {image: x, ports: ["8080:80", "127.0.0.1:9000:9000", "53:53/udp"], networks: [front]}
  api: {image: x, expose: ["3000"], networks: [front, back]}
  db: {image: x, networks: [back]}
  batch: {image: x, network_mode: none}
networks: {front: {}, back: {internal: true}}
"""


def test_services_inside_and_outside(bench: Any) -> None:
    objects = bench.objects(SHOP)
    inside = objects.find("Service", "web")["spec"]
    assert {(port["port"], port["protocol"]) for port in inside["ports"]} == {(80, "TCP"), (9000, "TCP"), (53, "UDP")}
    outside = objects.find("Service", "rel-web-published")
    assert {(port["port"], port["targetPort"]) for port in outside["spec"]["ports"]} == {(8080, 80), (53, 53)}
    assert outside["metadata"]["labels"]["tycho.dev/published"] == "true"
    assert outside["spec"]["type"] == "LoadBalancer"
    assert objects.find("Service", "db")["spec"]["clusterIP"] == "None"


def test_loopback_stays_inside(bench: Any) -> None:
    objects = bench.objects("services: {web: {image: x, ports: ['127.0.0.1:9000:80']}}")
    assert objects.find("Service", "rel-web-published")["spec"]["type"] == "ClusterIP"


def test_the_caller_selects_what_is_published(bench: Any) -> None:
    from tycho.chart import emit, release_values
    from tycho.model import ServiceMetadata

    policy_result = bench.policy_result(SHOP)
    metadata = {"web": ServiceMetadata(port=80), "api": ServiceMetadata(port=4000, clients=("10.1.2.3",))}
    objects = bench.render(emit(policy_result), release_values(policy_result.system, metadata))
    (port,) = objects.find("Service", "rel-web-published")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8080, 80)
    (port,) = objects.find("Service", "rel-api-published")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (4000, 4000)
    (rule,) = objects.find("NetworkPolicy", "rel-api-published")["spec"]["ingress"]
    assert rule["from"] == [{"ipBlock": {"cidr": "10.1.2.3/32"}}]
    only = bench.render(emit(policy_result), release_values(policy_result.system, {"api": ServiceMetadata(port=4000)}))
    assert "rel-web-published" not in only.names("Service")


def test_networks(bench: Any) -> None:
    objects = bench.objects(SHOP)
    front, back = (objects.find("NetworkPolicy", f"rel-network-{name}")["spec"] for name in ("front", "back"))
    assert front["egress"] == [{}]
    assert len(back["egress"]) == 2
    assert back["podSelector"]["matchLabels"]["tycho.dev/network-back"] == "true"
    labels = objects.find("Deployment", "rel-api")["spec"]["template"]["metadata"]["labels"]
    assert {"tycho.dev/network-front", "tycho.dev/network-back"} <= set(labels)
    nothing = objects.find("NetworkPolicy", "rel-batch-isolated")["spec"]
    assert (nothing["policyTypes"], "ingress" in nothing, "egress" in nothing) == (["Ingress", "Egress"], False, False)
    off = bench.objects(SHOP, "--set", "networkPolicy.enabled=false")
    assert off.names("NetworkPolicy") == {"rel-batch-isolated"}


def test_waiting_pod_reaches_api_server(bench: Any) -> None:
    text = """
      services:
        web: {image: x, networks: [back], depends_on: {db: {condition: service_completed_successfully}}}
        db: {image: x, networks: [back]}
      networks: {back: {internal: true}}
    """
    args = ("--set", "networkPolicy.apiServer.cidrs={10.0.0.1/32}", "--set", "networkPolicy.apiServer.ports={6443}")
    policy = bench.objects(text, *args).find("NetworkPolicy", "rel-wait")["spec"]
    assert policy["egress"] == [
        {"ports": [{"port": 6443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}
    ]
    labels = bench.objects(text).find("Deployment", "rel-web")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


def test_several_releases_in_one_namespace(bench: Any) -> None:
    objects = bench.objects(SHOP, scope="release")
    assert {"rel", "rel-web", "rel-api", "rel-db"} <= objects.names("Service")
    assert "web" not in objects.names("Service")
    pod = objects.pod("rel-db")
    assert (pod["hostname"], pod["subdomain"]) == ("db", "rel")
    assert pod["dnsConfig"]["searches"] == ["rel.default.svc.cluster.local"]
    headless = objects.find("Service", "rel")["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)
    own = bench.objects(SHOP, "--set", "dns.nameservers={10.96.0.10}", scope="release").pod("rel-db")
    assert own["dnsPolicy"] == "None"
    assert own["dnsConfig"]["searches"][0] == "rel.default.svc.cluster.local"
    assert {"name": "ndots", "value": "5"} in own["dnsConfig"]["options"]


def test_aliases(bench: Any) -> None:
    text = """
      services:
        a: {image: x, expose: ["1000"], hostname: box, networks: {n: {aliases: [both, only]}}}
        b: {image: x, expose: ["1000"], networks: {n: {aliases: [both]}}}
        c: {image: x, links: ["a:legacy"], networks: [n], container_name: my-c}
      networks: {n: {}}
    """
    objects = bench.objects(text)
    assert {"both", "only", "box", "legacy", "my-c"} <= objects.names("Service")
    selector = objects.find("Service", "both")["spec"]["selector"]
    for name in ("a", "b"):
        labels = objects.find("Deployment", f"rel-{name}")["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()
    assert objects.find("Service", "only")["spec"]["selector"]["app.kubernetes.io/component"] == "a"
    assert objects.pod("rel-a")["hostname"] == "box"
    assert not {"both", "only"} & bench.objects(text, scope="release").names("Service")


def test_ports_that_others_call(bench: Any) -> None:
    text = """
      services:
        cache: {image: "redis:7", expose: ["9121"]}
        web: {image: x, environment: {CACHE: "redis://cache:6379/0", IMAGE: "node:18"}, command: [run, "cache:16379"]}
        node: {image: x}
    """
    objects = bench.objects(text)
    assert [port["port"] for port in objects.find("Service", "cache")["spec"]["ports"]] == [6379, 16379, 9121]
    assert objects.find("Service", "node")["spec"]["clusterIP"] == "None"


def test_peers_that_check_each_other_find_each_other(bench: Any) -> None:
    text = """
      services:
        a: {image: x, expose: ["1"], command: [join, b], healthcheck: {test: a}}
        b: {image: x, expose: ["1"], command: [join, a], healthcheck: {test: a}}
        c: {image: x, expose: ["1"], command: [call, a], healthcheck: {test: a}}
        d: {image: x, expose: ["1"], healthcheck: {test: wget http://e/}}
        e: {image: x, expose: ["1"], healthcheck: {test: [CMD, wget, "http://d/"]}}
        f: {image: x, expose: ["1"], healthcheck: {test: wget http://g/}}
        g: {image: x, expose: ["1"], healthcheck: {test: wget http://h/}}
        h: {image: x, expose: ["1"], healthcheck: {test: wget http://f/}}
        i: {image: x, expose: ["1"], healthcheck: {test: wget http://f/}}
    """
    objects = bench.objects(text)
    restless = {name for name in "abcdefghi" if objects.find("Service", name)["spec"].get("publishNotReadyAddresses")}
    assert restless == set("abdefgh")


def test_hosts_and_resolvers(bench: Any) -> None:
    text = """
      services:
        web:
          image: x
          extra_hosts: ["one:10.0.0.1", "two:10.0.0.1", "six:[::1]"]
          dns: [1.1.1.1]
          dns_search: [corp.example]
          dns_opt: ["ndots:2", "debug"]
          domainname: my.example
    """
    pod = bench.objects(text).pod("rel-web")
    assert pod["hostAliases"] == [{"ip": "10.0.0.1", "hostnames": ["one", "two"]}, {"ip": "::1", "hostnames": ["six"]}]
    assert "dnsPolicy" not in pod  # the cluster's DNS comes first: it alone knows the services
    assert pod["dnsConfig"] == {
        "nameservers": ["1.1.1.1"],
        "searches": ["corp.example", "my.example"],
        "options": [{"name": "ndots", "value": "2"}, {"name": "debug"}],
    }
    own = bench.objects(text, "--set", "dns.nameservers={10.96.0.10}", scope="release").pod("rel-web")
    assert (own["dnsPolicy"], own["dnsConfig"]["nameservers"]) == ("None", ["10.96.0.10", "1.1.1.1"])


def test_what_the_orchestrator_looks_for(bench: Any) -> None:
    from tycho.chart import emit, release_values
    from tycho.usernames import user_label

    user = "Ann <a@b>"
    policy_result = bench.policy_result("services: {My_App: {image: x, ports: ['80']}, other: {image: x}}")
    objects = bench.render(emit(policy_result), release_values(policy_result.system, guid="f" * 32, username=user))
    for rendered in objects:
        labels = rendered["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "rel"
        assert (labels["executor"], labels["tycho-guid"], labels["username"]) == ("tycho", "f" * 32, user_label(user))
        assert "namespace" not in rendered["metadata"]
    web = objects.find("Deployment", "rel-my-app")["metadata"]
    assert web["labels"]["app.kubernetes.io/component"] == "my-app"
    assert (web["annotations"]["tycho.dev/service"], web["annotations"]["tycho.dev/order"]) == ("My_App", "0")
    assert objects.find("Deployment", "rel-other")["metadata"]["annotations"]["tycho.dev/order"] == "1"
    assert objects.find("Service", "rel-my-app-published")["metadata"]["annotations"]["tycho.dev/service"] == "My_App"
    anonymous = bench.render(emit(policy_result))
    assert "tycho-guid" not in anonymous.find("Deployment", "rel-other")["metadata"]["labels"]
