"""Environment of every origin arrives byte for byte, and a changed variable rolls exactly the pods that read it."""

from tests.e2e.system import System, eventually

SHOWS = ("env_file", "environment")
EXACT = {
    "PLAIN": "plain",
    "NUMBER": "1.1",
    "SPACED": "  two  words  ",
    "QUOTES": 'it\'s "quoted" \\ and `ticked`',
    "DOLLAR": "$HOME costs $5, $(PLAIN) and ${PLAIN}",
    "LINES": "first\nsecond\n",
    "BRACES": "{{ .Values.env }} <%= 1 %> {%",
    "UNICODE": "naïve ☃",
    "EMPTY": "",
    "FROM_CALLER": "a $b 'c' \"d\"",
    "FILE_PLAIN": "from file",
    "FILE_QUOTED": "quoted value",
    "FILE_OVERRIDDEN": "by environment",
}
ANSWERS = {"CHOSEN": "default", "NESTED": "inner", "REPLACED": "", "FILE_EXPANDED": "file default"}
CHOSEN = {"CHOSEN": "x", "NESTED": "x", "REPLACED": "replaced", "FILE_EXPANDED": "x"}


def environment(system: System, service: str) -> dict[str, str]:
    text = system.kubectl("exec", system.names(service)[0], "--", "cat", "/proc/1/environ")
    return dict(entry.split("=", 1) for entry in text.split("\0") if entry)


def verify(system: System) -> None:
    env = {"FROM_CALLER": EXACT["FROM_CALLER"]}
    system.up(env=env)
    seen = environment(system, "app")
    assert {name: seen.get(name) for name in EXACT} == EXACT
    assert {name: seen.get(name) for name in ANSWERS} == ANSWERS
    assert "ABSENT" not in seen
    assert environment(system, "other")["OTHER"] == "dotenv"

    app, other = system.names("app"), system.names("other")
    system.up(env={**env, "CHOICE": "x"})
    eventually(lambda: len(system.names("app")) == 1)
    assert system.names("app") != app
    assert system.names("other") == other
    assert {name: environment(system, "app").get(name) for name in CHOSEN} == CHOSEN

    app = system.names("app")
    chart = system.folder.parent / "chart"
    system.tycho("compile", "-o", str(chart))
    helm = ["upgrade", system.release["release"], str(chart), "-n", system.space, "--reuse-values"]
    system.helm(*helm, "--set", "variables.OTHER=by helm")
    eventually(lambda: len(system.names("other")) == 1 and system.names("other") != other and system.ready("other"))
    assert environment(system, "other")["OTHER"] == "by helm"
    assert system.names("app") == app
