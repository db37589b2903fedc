"""Systems drawn at random: templates in every live position, and what an environment may make of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Made = st.SearchStrategy[Any]

sampled = st.sampled_from
HOSTILE = [
    "{{ .Values }}", '{{ lookup "v1" "Secret" "" "" }}', "{{/*", "*/}}", "{{`", "`", "}}", "{%", "<%= 1 %>", "<%", "%>",
    "$(X)", "$$(X)", "$$", "$", "$X", "${X}", "a\\nb", "a\nb", "a\r\nb", "\t", " lead", "trail ", "- a", "? b", ": c",
    "#", "a #b", "'", '"', '\\"', "\\", "|", ">", "&a", "*a", "!tag", "%", "@", "`", "---", "...", "~", "null", "yes",
    "no", "1e3", "1_000", "0755", "0x1f", "1.10", ".inf", "2024-01-01", "=", "<<", "[]", "{}", "é", "日本",
    "😀", "\u2028", "\u00a0", "\ue000", "\u202e", "", "a" * 3000, "\\u0041", "\\x41", "%s %d", "\x01\x1b[31m",
]  # fmt: skip
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0\x7f\ufeff\ufffe\uffff")
    | sampled("{}$`\"'\\%<>=-:#&*!|[] \n\t"),
    max_size=12,
).filter(lambda text: not any("\x7f" <= char <= "\x9f" for char in text)) | sampled(HOSTILE)
"""Any text that a cluster can hold."""


def some(element: Made, least: int = 0, most: int = 3) -> Made:
    return st.lists(element, min_size=least, max_size=most)


def optional(**keys: Made) -> Made:
    return st.fixed_dictionaries({}, optional=keys)


LITERAL = TEXT.filter(lambda text: len(text) < 1000).map(lambda text: text.replace("$", "$$"))
OPERAND = sampled(["", "d", "a b", '{"a": {"b": 1}}', "$$x", "'\"", "é", "${T2}", "${T1:-${T3-e}}", "$T1$$", "{{ . }}"])
REFERENCE = st.one_of(
    sampled(["$T1", "${T1}", "${T2}", "${T3}", "$T3-", "${T4}"]),
    st.builds("${{{}{}{}}}".format, sampled(["T1", "T2", "T3", "T4"]), sampled([":-", "-", ":+", "+"]), OPERAND),
)
LIVE = some(LITERAL | REFERENCE, 1).map("".join)
"""Text in Compose's syntax, most of it with variables."""
WORDS = some(LIVE, 1)
IMAGE = sampled(["x", "r.example/x:${I}", "${I:-x}", "${R-r.example/}x:${I}", "x:${I:-1.10}-slim"]) | REFERENCE.map(
    "x{}".format
)
NOTES = st.dictionaries(sampled(["note", "x.example/about", "third"]), LIVE, max_size=2)
COUNT, MEMORY = sampled(["2", "${N:-2}"]), sampled(["64m", "${M:-1gb}"])
PORT = sampled(["8080", "${P}", "${P:-81}"])  # the only number that may be empty
LIMITS = optional(cpus=sampled(["0.5", "${C:-0.25}"]), memory=MEMORY)
RESERVED = optional(cpus=sampled(["0.1", "${C:-0.25}"]), memory=sampled(["32m", "${M:-1gb}"]))
SIZES = optional(limits=LIMITS) | optional(reservations=RESERVED)

SERVICE = st.fixed_dictionaries(
    {"image": IMAGE},
    optional={
        "entrypoint": WORDS,
        "command": WORDS,
        "working_dir": LIVE.map("/srv{}".format) | REFERENCE,
        "environment": st.dictionaries(sampled(["A", "b.c", "D_PASSWORD", "T1", "T3"]), LIVE | st.none(), max_size=4),
        "labels": NOTES,
        "annotations": NOTES,
        "healthcheck": st.one_of(
            WORDS.map(lambda words: {"test": ["CMD", *words]}), LIVE.map(lambda text: {"test": f"x{text}"})
        ),
        "deploy": optional(replicas=COUNT, labels=NOTES, resources=SIZES),
        "ports": PORT.map("{}:80".format).map(lambda port: [port]),
        "shm_size": MEMORY,
        "sysctls": st.dictionaries(sampled(["net.ipv4.tcp_syncookies"]), LIVE, max_size=1),
        "volumes": st.just(["data:/data"]),
        "configs": st.just(["text"]),
        "secrets": st.just(["kept"]),
        "post_start": WORDS.map(lambda words: [{"command": words}]),
        "pre_stop": WORDS.map(lambda words: [{"command": words}]),
        "pre_start": WORDS.map(lambda words: [{"command": words, "environment": {"H": words[0]}}]),
        "restart": sampled(["no", "always"]),
    },
)


@st.composite
def systems(draw: st.DrawFn) -> Any:
    """A compose file whose variables are all in live positions."""
    services = draw(st.dictionaries(sampled(["web", "a_b", "Db", "worker-1"]), SERVICE, min_size=1, max_size=3))
    names = sorted(services)
    for service, other in zip(names[1:], names, strict=False):
        if draw(st.booleans()):
            condition = sampled(["service_started", "service_healthy", "service_completed_successfully"])
            services[service]["depends_on"] = {other: {"condition": draw(condition)}}
    return {
        "services": services,
        "volumes": {"data": draw(optional(labels=NOTES, driver_opts=st.fixed_dictionaries({"size": MEMORY})))},
        "configs": {"text": {"content": draw(LIVE)}},
        "secrets": {"kept": {"external": True, "name": draw(sampled(["n", "n${I:-}", "${I:-x}.n"]))}},
    }


ENVIRONMENTS = st.fixed_dictionaries(
    {},
    optional={
        "I": sampled(["1", "1.10", "v2", "latest"]), "R": sampled(["", "q.example:5000/"]),
        "T1": TEXT, "T2": TEXT, "T3": TEXT, "N": sampled(["", "3"]), "C": sampled(["", "1", "0.25", "2.5"]),
        "M": sampled(["1g", "512m", "1048576", "1000", "1.5gb"]), "P": sampled(["", "80", "9090"]),
    },
)  # fmt: skip
