"""Documents that are made to be slow: each costs more than it looks, or would, if a limit did not stop it.

`DOCUMENTS` need nothing beside them, so that a service can be asked about them; `PROJECTS` bring files along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

Text = Callable[[], str]
Files = Callable[[], Mapping[str, str]]


def services(bodies: Iterable[str], more: str = "") -> str:
    """Write a project with a service for each body, in flow style."""
    return "services:\n" + "".join(f"  s{n}: {{image: x, {body}}}\n" for n, body in enumerate(bodies)) + more


def service(body: str, more: str = "") -> str:
    """Write a project with one service."""
    return services([body], more)


def spread(text: str, count: int, start: int = 0) -> str:
    """Join a text for each number, which stands in it as @."""
    return ", ".join(text.replace("@", str(n)) for n in range(start, start + count))


def circle(count: int, condition: str) -> str:
    """Write services that depend on the next one each, and the last on the first."""
    return services(f"depends_on: {{s{(n + 1) % count}: {{condition: {condition}}}}}" for n in range(count))


def chain(count: int, key: str) -> str:
    """Write services that name the next one each."""
    return services(key.replace("@", f"s{n + 1}") if n + 1 < count else "tty: true" for n in range(count))


def ladder(steps: int) -> str:
    """Write services of which each depends on the two below it: the number of ways doubles with every step."""
    bodies = [
        f"depends_on: [{', '.join(f's{m}' for m in (n + 1, n + 2) if m < steps)}]" if n + 1 < steps else "tty: true"
        for n in range(steps)
    ]
    return services(bodies)


ANCHORS = "x-0: &a0 {k0: v}\n" + "".join(f"x-{n}: &a{n} {{<<: *a{n - 1}, k{n}: *a{n - 1}}}\n" for n in range(1, 90))
DOCUMENTS: dict[str, Text] = {
    # expressions
    "references in an alternative": lambda: service('command: ["${X:+' + "${" * 60_000 + '}"]'),
    "references without an end": lambda: service('labels: {a: "' + "${" * 60_000 + '"}'),
    "defaults in defaults": lambda: service('labels: {a: "' + "${A:-" * 20_000 + "}" * 20_000 + '"}'),
    "alternating defaults": lambda: service('labels: {a: "' + "${A:-${B:-x}${C:-" * 9_000 + "}}" * 9_000 + '"}'),
    "braces in a default": lambda: service('labels: {a: "${A:-' + "{}" * 200_000 + '}"}'),
    "braces behind a variable": lambda: service('labels: {a: "${A:-x}' + "{}" * 200_000 + '"}'),
    "closing braces": lambda: service('labels: {a: "${A:-' + "}" * 400_000 + '"}'),
    "dollar signs": lambda: service('labels: {a: "' + "$" * 400_001 + 'A"}'),
    "variables": lambda: service('labels: {a: "' + "$A" * 200_000 + '"}'),
    "many templates": lambda: service("labels: {" + spread('l@: "$A${B:-x@}"', 4_900) + "}"),
    "a long command": lambda: service('command: "' + "$A b " * 6_000 + 'x"'),
    "a command without blanks": lambda: service('command: "${A}' + "x" * 400_000 + '"'),
    "quotes in a command": lambda: service("command: '" + '"a" ${A}' * 6_000 + "'"),
    "braces in a command": lambda: service("command: '$A " + "${" * 9_000 + "'"),
    "volumes of colons": lambda: service('volumes: ["${A:-/x}' + ":" * 200_000 + '"]'),
    "ports of colons": lambda: service('ports: ["' + ":" * 400_000 + '80"]'),
    # YAML
    "documents": lambda: "---\n" * 100_000 + service("tty: true"),
    "documents of a service": lambda: "".join(f"---\nservices: {{s: {{image: x{n}}}}}\n" for n in range(300)),
    "documents of many services": lambda: "".join(f"---\nservices: {{s{n}: {{image: x}}}}\n" for n in range(2_000)),
    "anchors in anchors": lambda: ANCHORS + service("tty: true"),
    "merges of a large anchor": lambda: (
        "x-e: &e {environment: {" + spread("E@: v", 400) + "}}\n" + services("<<: *e" for _ in range(500))
    ),
    "a large text in many places": lambda: (
        f'x-t: &t "{"a" * 1_000_000}"\n' + service(f"environment: {{{spread('E@: *t', 15_000)}}}")
    ),
    "deep flow": lambda: f"x-a: {'[' * 99}{']' * 99}\n" * 1 + service("tty: true"),
    "a long number": lambda: service("tty: true", f"x-a: {'9' * 500_000}\n"),
    "a long number behind a point": lambda: service("tty: true", f"x-a: 0.{'9' * 500_000}\n"),
    "long numbers": lambda: service("tty: true", f"x-a: [{spread('9' * 5_000, 900)}]\n"),
    "underscores": lambda: service("tty: true", f"x-a: {'1_' * 300_000}1\n"),
    "tabs": lambda: "services:\n\t" + "\t" * 100_000 + "web: {}\n",
    "a list of mappings": lambda: service("tty: true", f"x-a: [{spread('{a: @}', 10_000)}]\n"),
    # many of one thing
    "unknown keys": lambda: service(spread("unknown_key_@: 1", 8_000)),
    "unknown keys of many services": lambda: services("imagee: x, portss: []" for _ in range(2_000)),
    "wrong types": lambda: services("tty: [], ports: {}, environment: 1" for _ in range(1_500)),
    "wrong ports": lambda: service(f"ports: [{spread('{published: @}', 9_000)}]"),
    "wrong short ports": lambda: service(f"ports: [{spread('port-@', 6_000)}]"),
    "undefined networks": lambda: service(f"networks: [{spread('n@', 6_000)}]"),
    "undefined networks among many": lambda: services(
        (f"networks: [m{n}]" for n in range(1_500)), "networks: {" + spread("net@: {}", 1_500) + "}\n"
    ),
    "undefined dependencies": lambda: services(f"depends_on: [t{n}]" for n in range(2_000)),
    "services without an image": lambda: "services:\n" + "".join(f"  s{n}: {{tty: true}}\n" for n in range(4_000)),
    "missing env files": lambda: services(f"env_file: [missing{n}.env]" for n in range(2_000)),
    "dates": lambda: service(f"environment: {{{spread('E@: 2024-01-01', 4_900)}}}"),
    "booleans in other words": lambda: services("tty: 'yes', read_only: 'on'" for _ in range(800)),
    "unset variables": lambda: service(f"labels: {{{spread('l@: $V@', 4_900)}}}"),
    "equal items": lambda: service(f"cap_drop: [{spread('A@', 15_000)}, A0]"),
    "equal items by thousands": lambda: service(f"dns_search: [{', '.join(['a'] * 15_000)}]"),
    # products
    "ranges of ports": lambda: services('ports: ["1-65535:1-65535"]' for _ in range(20)),
    "exposed ranges": lambda: services('expose: ["1-65535"]' for _ in range(2_000)),
    "ports of one service": lambda: service('ports: ["1-19999:1-19999"]'),
    "everybody depends on everybody": lambda: services(
        f"depends_on: [{', '.join(f's{m}' for m in range(n))}]" if n else "tty: true" for n in range(250)
    ),
    "everybody waits for everybody": lambda: services(
        "healthcheck: {test: x}, depends_on: {" + spread("s@: {condition: service_healthy}", n) + "}"
        for n in range(180)
    ),
    "everybody links to everybody": lambda: services(
        f"links: [{', '.join(f's{m}:a{m}' for m in range(n))}]" if n else "tty: true" for n in range(250)
    ),
    "everybody has every volume": lambda: services(
        (f"volumes: [{spread('v@x:/v@', 100)}]" for _ in range(120)), "volumes: {" + spread("v@x: {}", 100) + "}\n"
    ),
    "everybody is on every network": lambda: services(
        (f"networks: [{spread('n@', 230)}]" for _ in range(230)), "networks: {" + spread("n@: {}", 230) + "}\n"
    ),
    "shared aliases": lambda: services(
        f"networks: {{default: {{aliases: [{spread('a@', 130)}]}}}}" for _ in range(130)
    ),
    "secrets of everybody": lambda: services(
        (f"secrets: [{spread('k@', 180)}]" for _ in range(180)),
        "secrets: {" + spread("k@: {environment: K}", 180) + "}\n",
    ),
    "names in large texts": lambda: services(
        (
            f'environment: {{A: "{" ".join(f"s{m}:80{m % 90 + 10}" for m in range(300))}"}}, healthcheck: {{test: x}}'
            for _ in range(300)
        ),
    ),
    "hooks of everybody": lambda: services(
        f"environment: {{{spread('E@: v', 50)}}}, pre_start: [{spread('{command: [a@]}', 20)}]" for _ in range(200)
    ),
    # chains
    "a chain of dependencies": lambda: chain(2_600, "depends_on: [@]"),
    "a circle of dependencies": lambda: circle(2_500, "service_started"),
    "a ladder of dependencies": lambda: ladder(1_500),
    "a chain of extends": lambda: chain(3_000, "extends: @"),
    "a chain of extends and environments": lambda: chain(90, f"environment: {{{spread('E@_: v', 200)}}}, extends: @"),
    "a chain of networks": lambda: chain(1_200, 'network_mode: "service:@"'),
    "a chain of volumes": lambda: chain(1_200, "volumes_from: [@], volumes: [/a]"),
    "many that extend one": lambda: services(
        "extends: s0" if n else f"environment: {{{spread('E@: v', 300)}}}" for n in range(800)
    ),
    "mounts of one name": lambda: services(f"volumes: ['./{n}/data:/data']" for n in range(800)),
}


def includes(depth: int, width: int) -> Mapping[str, str]:
    """Write files of which each includes the next one several times."""
    files = {f"{n}.yaml": f"include: [{', '.join([f'{n + 1}.yaml'] * width)}]\n" for n in range(depth)}
    return {
        **files,
        f"{depth}.yaml": service("tty: true"),
        "compose.yaml": "include: [0.yaml]\n" + service("tty: true"),
    }


def env_file(text: str) -> Files:
    """Write a project with one env_file."""
    return lambda: {"compose.yaml": service("env_file: [a.env]"), "a.env": text}


GROWING = "A=0123456789\n" + "".join(f"{b}={f'${a}' * 10}\n" for a, b in zip("ABCDEFGHIJK", "BCDEFGHIJKL", strict=True))
PROJECTS: dict[str, Files] = {
    "includes of includes": lambda: includes(10, 3),
    "a chain of includes": lambda: includes(300, 1),
    "a growing .env": lambda: {"compose.yaml": service("labels: {a: $L}"), ".env": GROWING},
    "a large variable in many places": lambda: {
        "compose.yaml": service(f"labels: {{{spread('l@: $A', 15_000)}}}"),
        ".env": f"A={'a' * 500_000}\n",
    },
    "a growing env_file": env_file(GROWING),
    "an env_file of names": env_file("".join(f"N{n}=v\n" for n in range(40_000))),
    "an env_file of quotes": env_file('A="' + "\\\\" * 400_000),
    "an env_file of open quotes": env_file("".join(f'N{n}="a' for n in range(30_000))),
    "an env_file of references": env_file("".join(f"N{n}=$N{n - 1}\n" for n in range(1, 20_000))),
    "an env_file of comments": env_file("#\n" * 400_000),
    "an env_file of exports": env_file("export " * 100_000 + "A=1"),
    "env_files of everybody": lambda: {
        "compose.yaml": services("env_file: [a.env]" for _ in range(120)),
        "a.env": "".join(f"N{n}=v\n" for n in range(2_000)),
    },
    "label_files": lambda: {
        "compose.yaml": services("label_file: [a.env]" for _ in range(120)),
        "a.env": "".join(f"n{n}=v\n" for n in range(2_000)),
    },
    "many that extend another file": lambda: {
        "compose.yaml": services("extends: {file: base.yaml, service: s0}" for _ in range(800)),
        "base.yaml": service(f"environment: {{{spread('E@: v', 300)}}}"),
    },
}
