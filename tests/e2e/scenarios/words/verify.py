"""Commands and entrypoints arrive word for word: quotes, globs, newlines, `$$`, templates, the image's own defaults.

So do those of `tycho exec`, with their input and its end; their exit code comes back.
"""

from tests.e2e.system import System, eventually

SHOWS = ("command", "entrypoint", "image", "restart")
WORDS = {
    "string": ["a", "b c", "d  e", "f g", "", "it's"],
    "globs": ["*", "?", "~", "[a-z]", "{a,b}", "a;b", "&", "|", ">", "#x"],
    "dollars": ["$HOME", "${HOME}", "$(id)", "$$", "$1"],
    "list": ["$HOME", "*", "a\nb", "", 'it\'s "q"', "$(PATH)", "$$(PATH)", "{{ x }}", "%s", "☃"],
    "live": ["x  y", "$5", "<x  y>"],
    "folded": ["one", "two"],
}
LINES = {"image": "hello world two words\n", "commanded": "hello there\n", "entered": "bye\n"}


def verify(system: System) -> None:
    system.up(env={"WORD": "x  y"})
    logs = {service: eventually(lambda service=service: system.logs(service)) for service in (*WORDS, *LINES)}
    assert logs == {service: "".join(f"<{word}>" for word in words) + "\n" for service, words in WORDS.items()} | LINES
    web = system.exec("list", "printf", "<%s>", *WORDS["list"])
    assert (web.returncode, web.stdout) == (0, "".join(f"<{word}>" for word in WORDS["list"]))
    done = system.exec("list", "sh", "-c", "cat; echo no >&2; exit 7", stdin="input\n" * 50_000)
    assert (done.returncode, done.stdout, done.stderr) == (7, "input\n" * 50_000, "no\n")
    absent = system.exec("list", "no-such-program")
    assert (absent.returncode, absent.stderr) == (127, 'cannot run "no-such-program": not found in the image\n')
    folder = system.exec("-e", "A=1 2", "list", "sh", "-c", 'echo "$A"')
    assert folder.stdout == "1 2\n"
