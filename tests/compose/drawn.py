"""Random compose text: mostly right, as people write it, with few names so that files meet when they merge."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Made = st.SearchStrategy[Any]

ANY = st.sampled_from
WORD = ANY(["a", "b", "c", "web", "x.y", "1"])
TEXT = ANY(["", "v", "two words", "a=b", "$$x", "é", "8080", "true"])
SCALAR = ANY(["", "v", "two words", 1, 0, 2.5, 1e6, True, False, "null", "$$x"])
NETWORKS = ["front", "back"]
VOLUMES = ["data", "logs"]
SERVICES = ["a", "b", "c"]


def some(entry: Made, most: int = 3, *, unique: bool = True) -> Made:
    return st.lists(entry, max_size=most, unique_by=repr if unique else None)


def pairs(value: Made = SCALAR) -> Made:
    listed = some(st.builds(lambda key, text: f"{key}={text}", WORD, TEXT) | WORD)
    return st.dictionaries(WORD, value | st.none(), max_size=3) | listed


def optional(**keys: Made) -> Made:
    return st.fixed_dictionaries({}, optional=keys)


def either(entry: Made) -> Made:
    return entry | some(entry)


NUMBER = st.integers(0, 5)
BYTES = ANY(["50m", "1g", "1.5gb", "512", "640kb", "10 MiB", "0"])
TIME = ANY(["30s", "1m30s", "1.5h", "0s", "100ms", "1w2d", "90s"])
CORES = ANY(["0.5", "0.25", 1, 0.1, "2", 0.3333333])
PORT = ANY([80, 443, 8080])
SHORT_PORT = (
    PORT
    | PORT.map(str)
    | st.builds("{}:{}".format, PORT, PORT)
    | st.builds("{}:{}/udp".format, PORT, PORT)
    | st.builds("127.0.0.1:{}:{}".format, PORT, PORT)
    | ANY(["3000-3002", "9000-9001:80-81", "9000-9010:80", "[::1]:80:80", "127.0.0.1::80", ":443", "80/sctp"])
)
LONG_PORT = st.fixed_dictionaries(
    {"target": PORT}, optional={"published": PORT | PORT.map(str), "protocol": ANY(["tcp", "udp"]),
                                "mode": ANY(["host", "ingress"]), "host_ip": ANY(["127.0.0.1", "::1"]),
                                "name": WORD, "app_protocol": ANY(["http"])},
)  # fmt: skip
SHORT_MOUNT = ANY([
    "data:/data", "logs:/logs:ro", "./src:/src", "../up:/up:rw", "/abs:/abs:z", "~/home:/home", "/anonymous",
    "data:/data/:nocopy", "./src:/src:rshared,ro", "logs:/a//b/../c", ".:/dot",
])  # fmt: skip
LONG_MOUNT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("volume"), "source": ANY(VOLUMES), "target": ANY(["/data", "/logs", "/x/"])},
        optional={
            "read_only": st.booleans() | ANY(["true", "no"]),
            "volume": optional(nocopy=st.booleans(), subpath=WORD),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("bind"), "source": ANY(["./src", "/abs", "up"]), "target": ANY(["/src", "/abs"])},
        optional={"bind": optional(propagation=ANY(["rslave"]), create_host_path=st.booleans(), selinux=ANY(["z"]))},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tmpfs"), "target": ANY(["/t", "/data"])},
        optional={"tmpfs": optional(size=ANY([1000, "1m"]), mode=ANY([0o755, 1023]))},
    ),
)
GRANT = WORD.filter(lambda name: name in ("a", "b")) | st.fixed_dictionaries(
    {"source": ANY(["a", "b"])},
    optional={
        "target": ANY(["/t", "t"]),
        "uid": ANY(["1"]),
        "gid": ANY(["2"]),
        "mode": ANY([0o440, "0440", "0o400"][:2]),
    },
)
CHECK = optional(
    test=ANY(["curl x", ["CMD", "a", "b"], ["CMD-SHELL", "a b"], ["NONE"]]), interval=TIME, timeout=TIME,
    retries=NUMBER | ANY(["3"]), start_period=TIME, start_interval=TIME, disable=st.booleans() | ANY(["yes"]),
)  # fmt: skip
LIMITS = optional(cpus=CORES, memory=BYTES, pids=NUMBER)
ROLLOUT = optional(
    parallelism=NUMBER, delay=TIME, failure_action=ANY(["rollback", "pause"]), monitor=TIME,
    max_failure_ratio=ANY([0.1, 0, "0.25"]), order=ANY(["start-first", "stop-first"]),
)  # fmt: skip
DEPLOY = optional(
    mode=ANY(["replicated", "global"]), replicas=NUMBER | ANY(["2"]), labels=pairs(), endpoint_mode=ANY(["vip"]),
    update_config=ROLLOUT, rollback_config=ROLLOUT,
    resources=optional(limits=LIMITS, reservations=LIMITS),
    restart_policy=optional(condition=ANY(["any", "none"]), delay=TIME, max_attempts=NUMBER, window=TIME),
    placement=optional(constraints=some(WORD), preferences=some(st.just({"spread": "node.labels.zone"}), 1),
                       max_replicas_per_node=NUMBER),
)  # fmt: skip
ATTACHMENT = st.none() | optional(
    aliases=some(WORD), ipv4_address=ANY(["10.0.0.2"]), priority=ANY([5, 0]), mac_address=ANY(["02:42:ac:11:65:43"]),
    interface_name=ANY(["eth7"]), driver_opts=st.dictionaries(WORD, ANY(["x", 1]), max_size=2), gw_priority=NUMBER,
)  # fmt: skip
BUILD = ANY([".", "./src", "https://example.com/x.git"]) | optional(
    context=ANY([".", "../up", "service:a"][:2]), dockerfile=ANY(["Other"]), args=pairs(), labels=pairs(), target=WORD,
    cache_from=some(WORD), no_cache=st.booleans(), pull=st.booleans(), network=WORD, shm_size=BYTES,
    extra_hosts=ANY([["h=1.1.1.1"], {"h": "1.1.1.1"}]), tags=some(WORD), platforms=some(ANY(["linux/amd64"]), 1),
    privileged=st.booleans(), ssh=ANY([["default"], {"default": None}]), provenance=ANY([True, "mode=max"]),
    additional_contexts=ANY([["k=./src"], {"k": "docker-image://x"}]), secrets=some(ANY(["a"]), 1),
    ulimits=ANY([{"nofile": 5}, {"nofile": {"soft": 1, "hard": 2}}]), entitlements=some(WORD, 1), isolation=WORD,
)  # fmt: skip
COMMAND = ANY(["echo hi", "sh -c \"echo 'x y'\"", "", ["a", "b c"], [], None, "a && b", "echo $$HOME", "a\\ b"])
HOSTS = ANY([["a=1.1.1.1", "b:2.2.2.2"], {"a": "1.1.1.1"}, {"a": ["1.1.1.1", "::1"]}, ["a=[::1]"], ["a=3.3.3.3"]])
ULIMITS = st.dictionaries(
    ANY(["nofile", "nproc"]), NUMBER | ANY(["7"]) | optional(soft=NUMBER, hard=ANY([9, "9"])), max_size=2
)
DEPENDS = some(ANY(SERVICES[1:])) | st.dictionaries(
    ANY(SERVICES[1:]),
    st.fixed_dictionaries(
        {"condition": ANY(["service_started", "service_healthy"])},
        optional={"restart": st.booleans(), "required": st.booleans() | ANY(["true"])},
    ),
)
SERVICE: dict[str, Made] = {
    "annotations": pairs(),
    "attach": st.booleans(),
    "blkio_config": optional(weight=NUMBER, device_read_bps=st.just([{"path": "/dev/a", "rate": "1mb"}])),
    "build": BUILD,
    "cap_add": some(ANY(["ALL", "NET_ADMIN"])),
    "cap_drop": some(ANY(["ALL", "NET_ADMIN"])),
    "command": COMMAND,
    "configs": some(GRANT),
    "container_name": WORD.filter(lambda word: word != "x.y"),
    "cpu_shares": NUMBER | ANY(["3"]),
    "depends_on": DEPENDS,
    "deploy": DEPLOY,
    "devices": some(ANY(["/dev/a", "/dev/a:/dev/b", "/dev/a:/dev/c:r"]), 2),
    "dns": either(ANY(["8.8.8.8", "1.1.1.1"])),
    "dns_opt": some(WORD),
    "dns_search": either(ANY(["a.example", "b.example"])),
    "domainname": WORD,
    "entrypoint": COMMAND,
    "environment": pairs(),
    "env_file": either(ANY(["a.env", "b.env", {"path": "none.env", "required": False}])),
    "expose": some(ANY(["80", 81, "90-91", "53/udp"])),
    "external_links": some(WORD),
    "extra_hosts": HOSTS,
    "group_add": some(ANY(["1", 2, "wheel"])),
    "healthcheck": CHECK,
    "hostname": WORD,
    "image": ANY(["nginx", "nginx:1", f"repo/x@sha256:{'0' * 64}"]),
    "init": st.booleans() | ANY(["yes", "off"]),
    "ipc": ANY(["host", "service:b"]),
    "label_file": either(ANY(["a.label"])),
    "labels": pairs(),
    "links": some(ANY(["b", "b:db"])),
    "logging": optional(
        driver=ANY(["json-file", "none"]), options=st.dictionaries(WORD, ANY(["x", 1, None]), max_size=2)
    ),
    "mac_address": ANY(["02:42:ac:11:65:43"]),
    "mem_limit": BYTES | ANY([1000000]),
    "mem_reservation": BYTES,
    "mem_swappiness": ANY([0, 60]),
    "memswap_limit": ANY(["1g", -1, "-1"]),
    "networks": some(ANY(NETWORKS)) | st.dictionaries(ANY(NETWORKS), ATTACHMENT),
    "oom_score_adj": ANY([-5, 100]),
    "pids_limit": ANY([-1, 100]),
    "platform": ANY(["linux/amd64"]),
    "ports": some(SHORT_PORT | LONG_PORT, 4),
    "post_start": some(
        ANY([{"command": "echo hi"}, {"command": ["a"], "user": "root", "environment": ["A=1", "B"]}]), 2
    ),
    "privileged": st.booleans(),
    "profiles": some(ANY(["p"])),
    "pull_policy": ANY(["always", "if_not_present", "daily", "every_12h"]),
    "read_only": st.booleans() | ANY(["on"]),
    "restart": ANY(["no", "always", "on-failure:3", "unless-stopped"]),
    "runtime": WORD,
    "scale": NUMBER,
    "secrets": some(GRANT),
    "security_opt": some(WORD),
    "shm_size": BYTES,
    "stdin_open": st.booleans(),
    "stop_grace_period": TIME,
    "stop_signal": ANY(["SIGTERM"]),
    "storage_opt": st.dictionaries(WORD, TEXT, max_size=1),
    "sysctls": pairs(ANY([1, "x"])),
    "tmpfs": either(ANY(["/run", "/cache:size=1m"])),
    "tty": st.booleans(),
    "ulimits": ULIMITS,
    "user": ANY(["root", "1000:1000"]),
    "volumes": some(SHORT_MOUNT | LONG_MOUNT, 4),
    "volumes_from": some(ANY(["b", "b:ro", "container:x"]), 2),
    "working_dir": ANY(["/app"]),
    "x-mine": st.just({"a": [1, "$$x"]}),
}


@st.composite
def service(draw: st.DrawFn, most: int = 6) -> Any:
    keys = draw(st.lists(ANY(sorted(SERVICE)), max_size=most, unique=True))
    return {key: draw(SERVICE[key]) for key in keys}


POOL = optional(subnet=ANY(["10.0.0.0/8", "172.16.0.0/16"]), gateway=ANY(["10.0.0.1"]))
NETWORK = st.none() | optional(
    driver=ANY(["bridge"]), driver_opts=st.dictionaries(WORD, ANY(["x", 1, None]), max_size=2), internal=st.booleans(),
    attachable=st.booleans() | ANY(["true"]), labels=pairs(), enable_ipv6=st.booleans(), name=WORD,
    ipam=optional(driver=WORD, config=some(POOL),
                  options=st.dictionaries(WORD, TEXT, max_size=1)),
)  # fmt: skip
VOLUME = st.none() | optional(
    driver=ANY(["local"]), labels=pairs(), name=WORD,
    driver_opts=ANY([{"o": "bind", "device": "./src", "type": "none"}, {"size": 1}]),
)  # fmt: skip
FILES = {
    "a.env": "A=1\nB=${A}x\nC\n# no\nexport D='q $A'\n",
    "b.env": 'B=two\nE="${FOO:-d}"\nFOO\n',
    "a.label": "l.a=1\nl.b=${A}\n",
    "secret.txt": "s",
}


@st.composite
def project(draw: st.DrawFn) -> Any:
    """A whole file: three services, what they can refer to, and nothing that they must not."""
    services = {name: {"image": "x", **draw(service())} for name in SERVICES}
    for other in SERVICES[1:]:
        for key in ("profiles", "depends_on", "links", "ipc", "volumes_from"):
            services[other].pop(key, None)
    return {
        "name": "p",
        "services": services,
        "networks": {name: draw(NETWORK) for name in NETWORKS},
        "volumes": {name: draw(VOLUME) for name in VOLUMES},
        "configs": {"a": {"content": "$$x"}, "b": {"file": "./secret.txt"}},
        "secrets": {"a": {"file": "./secret.txt"}, "b": {"environment": "FOO"}},
        "x-top": {"kept": [1, None, "$$"]},
    }


@st.composite
def override(draw: st.DrawFn) -> Any:
    """A second file for the same project."""
    project: dict[str, Any] = {"services": {name: draw(service(4)) for name in SERVICES if draw(st.booleans())}}
    for other in SERVICES[1:]:
        for key in ("profiles", "depends_on", "links", "ipc", "volumes_from"):
            project["services"].get(other, {}).pop(key, None)
    if draw(st.booleans()):
        project["networks"] = {draw(ANY(NETWORKS)): draw(NETWORK)}
    return project
