"""Random compose text: mostly right, as people write it, with few names so that files meet when they merge."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Made = st.SearchStrategy[Any]

ONE = st.sampled_from
WORD = ONE(["a", "b", "c", "web", "x.y", "1"])
TEXT = ONE(["", "v", "two words", "a=b", "$$x", "é", "8080", "true"])
SCALAR = ONE(["", "v", "two words", 1, 0, 2.5, 1e6, True, False, "null", "$$x"])
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
BYTES = ONE(["50m", "1g", "1.5gb", "512", "640kb", "10 MiB", "0"])
TIME = ONE(["30s", "1m30s", "1.5h", "0s", "100ms", "1w2d", "90s"])
CORES = ONE(["0.5", "0.25", 1, 0.1, "2", 0.3333333])
PORT = ONE([80, 443, 8080])
SHORT_PORT = (
    PORT
    | PORT.map(str)
    | st.builds("{}:{}".format, PORT, PORT)
    | st.builds("{}:{}/udp".format, PORT, PORT)
    | st.builds("127.0.0.1:{}:{}".format, PORT, PORT)
    | ONE(["3000-3002", "9000-9001:80-81", "9000-9010:80", "[::1]:80:80", "127.0.0.1::80", ":443", "80/sctp"])
)
LONG_PORT = st.fixed_dictionaries(
    {"target": PORT}, optional={"published": PORT | PORT.map(str), "protocol": ONE(["tcp", "udp"]),
                                "mode": ONE(["host", "ingress"]), "host_ip": ONE(["127.0.0.1", "::1"]),
                                "name": WORD, "app_protocol": ONE(["http"])},
)  # fmt: skip
SHORT_MOUNT = ONE([
    "data:/data", "logs:/logs:ro", "./src:/src", "../up:/up:rw", "/abs:/abs:z", "~/home:/home", "/anonymous",
    "data:/data/:nocopy", "./src:/src:rshared,ro", "logs:/a//b/../c", ".:/dot",
])  # fmt: skip
LONG_MOUNT = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("volume"), "source": ONE(VOLUMES), "target": ONE(["/data", "/logs", "/x/"])},
        optional={
            "read_only": st.booleans() | ONE(["true", "no"]),
            "volume": optional(nocopy=st.booleans(), subpath=WORD),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.just("bind"), "source": ONE(["./src", "/abs", "up"]), "target": ONE(["/src", "/abs"])},
        optional={"bind": optional(propagation=ONE(["rslave"]), create_host_path=st.booleans(), selinux=ONE(["z"]))},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tmpfs"), "target": ONE(["/t", "/data"])},
        optional={"tmpfs": optional(size=ONE([1000, "1m"]), mode=ONE([0o755, 1023]))},
    ),
)
GRANT = WORD.filter(lambda name: name in ("a", "b")) | st.fixed_dictionaries(
    {"source": ONE(["a", "b"])},
    optional={
        "target": ONE(["/t", "t"]),
        "uid": ONE(["1"]),
        "gid": ONE(["2"]),
        "mode": ONE([0o440, "0440", "0o400"][:2]),
    },
)
CHECK = optional(
    test=ONE(["curl x", ["CMD", "a", "b"], ["CMD-SHELL", "a b"], ["NONE"]]), interval=TIME, timeout=TIME,
    retries=NUMBER | ONE(["3"]), start_period=TIME, start_interval=TIME, disable=st.booleans() | ONE(["yes"]),
)  # fmt: skip
LIMITS = optional(cpus=CORES, memory=BYTES, pids=NUMBER)
ROLLOUT = optional(
    parallelism=NUMBER, delay=TIME, failure_action=ONE(["rollback", "pause"]), monitor=TIME,
    max_failure_ratio=ONE([0.1, 0, "0.25"]), order=ONE(["start-first", "stop-first"]),
)  # fmt: skip
DEPLOY = optional(
    mode=ONE(["replicated", "global"]), replicas=NUMBER | ONE(["2"]), labels=pairs(), endpoint_mode=ONE(["vip"]),
    update_config=ROLLOUT, rollback_config=ROLLOUT,
    resources=optional(limits=LIMITS, reservations=LIMITS),
    restart_policy=optional(condition=ONE(["any", "none"]), delay=TIME, max_attempts=NUMBER, window=TIME),
    placement=optional(constraints=some(WORD), preferences=some(st.just({"spread": "node.labels.zone"}), 1),
                       max_replicas_per_node=NUMBER),
)  # fmt: skip
ATTACHMENT = st.none() | optional(
    aliases=some(WORD), ipv4_address=ONE(["10.0.0.2"]), priority=ONE([5, 0]), mac_address=ONE(["02:42:ac:11:65:43"]),
    interface_name=ONE(["eth7"]), driver_opts=st.dictionaries(WORD, ONE(["x", 1]), max_size=2), gw_priority=NUMBER,
)  # fmt: skip
BUILD = ONE([".", "./src", "https://example.com/x.git"]) | optional(
    context=ONE([".", "../up", "service:a"][:2]), dockerfile=ONE(["Other"]), args=pairs(), labels=pairs(), target=WORD,
    cache_from=some(WORD), no_cache=st.booleans(), pull=st.booleans(), network=WORD, shm_size=BYTES,
    extra_hosts=ONE([["h=1.1.1.1"], {"h": "1.1.1.1"}]), tags=some(WORD), platforms=some(ONE(["linux/amd64"]), 1),
    privileged=st.booleans(), ssh=ONE([["default"], {"default": None}]), provenance=ONE([True, "mode=max"]),
    additional_contexts=ONE([["k=./src"], {"k": "docker-image://x"}]), secrets=some(ONE(["a"]), 1),
    ulimits=ONE([{"nofile": 5}, {"nofile": {"soft": 1, "hard": 2}}]), entitlements=some(WORD, 1), isolation=WORD,
)  # fmt: skip
COMMAND = ONE(["echo hi", "sh -c \"echo 'x y'\"", "", ["a", "b c"], [], None, "a && b", "echo $$HOME", "a\\ b"])
HOSTS = ONE([["a=1.1.1.1", "b:2.2.2.2"], {"a": "1.1.1.1"}, {"a": ["1.1.1.1", "::1"]}, ["a=[::1]"], ["a=3.3.3.3"]])
ULIMITS = st.dictionaries(
    ONE(["nofile", "nproc"]), NUMBER | ONE(["7"]) | optional(soft=NUMBER, hard=ONE([9, "9"])), max_size=2
)
DEPENDS = some(ONE(SERVICES[1:])) | st.dictionaries(
    ONE(SERVICES[1:]),
    st.fixed_dictionaries(
        {"condition": ONE(["service_started", "service_healthy"])},
        optional={"restart": st.booleans(), "required": st.booleans() | ONE(["true"])},
    ),
)
SERVICE: dict[str, Made] = {
    "annotations": pairs(),
    "attach": st.booleans(),
    "blkio_config": optional(weight=NUMBER, device_read_bps=st.just([{"path": "/dev/a", "rate": "1mb"}])),
    "build": BUILD,
    "cap_add": some(ONE(["ALL", "NET_ADMIN"])),
    "cap_drop": some(ONE(["ALL", "NET_ADMIN"])),
    "command": COMMAND,
    "configs": some(GRANT),
    "container_name": WORD.filter(lambda word: word != "x.y"),
    "cpu_shares": NUMBER | ONE(["3"]),
    "depends_on": DEPENDS,
    "deploy": DEPLOY,
    "devices": some(ONE(["/dev/a", "/dev/a:/dev/b", "/dev/a:/dev/c:r"]), 2),
    "dns": either(ONE(["8.8.8.8", "1.1.1.1"])),
    "dns_opt": some(WORD),
    "dns_search": either(ONE(["a.example", "b.example"])),
    "domainname": WORD,
    "entrypoint": COMMAND,
    "environment": pairs(),
    "env_file": either(ONE(["a.env", "b.env", {"path": "none.env", "required": False}])),
    "expose": some(ONE(["80", 81, "90-91", "53/udp"])),
    "external_links": some(WORD),
    "extra_hosts": HOSTS,
    "group_add": some(ONE(["1", 2, "wheel"])),
    "healthcheck": CHECK,
    "hostname": WORD,
    "image": ONE(["nginx", "nginx:1", f"repo/x@sha256:{'0' * 64}"]),
    "init": st.booleans() | ONE(["yes", "off"]),
    "ipc": ONE(["host", "service:b"]),
    "label_file": either(ONE(["a.label"])),
    "labels": pairs(),
    "links": some(ONE(["b", "b:db"])),
    "logging": optional(
        driver=ONE(["json-file", "none"]), options=st.dictionaries(WORD, ONE(["x", 1, None]), max_size=2)
    ),
    "mac_address": ONE(["02:42:ac:11:65:43"]),
    "mem_limit": BYTES | ONE([1000000]),
    "mem_reservation": BYTES,
    "mem_swappiness": ONE([0, 60]),
    "memswap_limit": ONE(["1g", -1, "-1"]),
    "networks": some(ONE(NETWORKS)) | st.dictionaries(ONE(NETWORKS), ATTACHMENT),
    "oom_score_adj": ONE([-5, 100]),
    "pids_limit": ONE([-1, 100]),
    "platform": ONE(["linux/amd64"]),
    "ports": some(SHORT_PORT | LONG_PORT, 4),
    "post_start": some(
        ONE([{"command": "echo hi"}, {"command": ["a"], "user": "root", "environment": ["A=1", "B"]}]), 2
    ),
    "privileged": st.booleans(),
    "profiles": some(ONE(["p"])),
    "pull_policy": ONE(["always", "if_not_present", "daily", "every_12h"]),
    "read_only": st.booleans() | ONE(["on"]),
    "restart": ONE(["no", "always", "on-failure:3", "unless-stopped"]),
    "runtime": WORD,
    "scale": NUMBER,
    "secrets": some(GRANT),
    "security_opt": some(WORD),
    "shm_size": BYTES,
    "stdin_open": st.booleans(),
    "stop_grace_period": TIME,
    "stop_signal": ONE(["SIGTERM"]),
    "storage_opt": st.dictionaries(WORD, TEXT, max_size=1),
    "sysctls": pairs(ONE([1, "x"])),
    "tmpfs": either(ONE(["/run", "/cache:size=1m"])),
    "tty": st.booleans(),
    "ulimits": ULIMITS,
    "user": ONE(["root", "1000:1000"]),
    "volumes": some(SHORT_MOUNT | LONG_MOUNT, 4),
    "volumes_from": some(ONE(["b", "b:ro", "container:x"]), 2),
    "working_dir": ONE(["/app"]),
    "x-mine": st.just({"a": [1, "$$x"]}),
}


@st.composite
def service(draw: st.DrawFn, most: int = 6) -> Any:
    keys = draw(st.lists(ONE(sorted(SERVICE)), max_size=most, unique=True))
    return {key: draw(SERVICE[key]) for key in keys}


POOL = optional(subnet=ONE(["10.0.0.0/8", "172.16.0.0/16"]), gateway=ONE(["10.0.0.1"]))
NETWORK = st.none() | optional(
    driver=ONE(["bridge"]), driver_opts=st.dictionaries(WORD, ONE(["x", 1, None]), max_size=2), internal=st.booleans(),
    attachable=st.booleans() | ONE(["true"]), labels=pairs(), enable_ipv6=st.booleans(), name=WORD,
    ipam=optional(driver=WORD, config=some(POOL),
                  options=st.dictionaries(WORD, TEXT, max_size=1)),
)  # fmt: skip
VOLUME = st.none() | optional(
    driver=ONE(["local"]), labels=pairs(), name=WORD,
    driver_opts=ONE([{"o": "bind", "device": "./src", "type": "none"}, {"size": 1}]),
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
        project["networks"] = {draw(ONE(NETWORKS)): draw(NETWORK)}
    return project
