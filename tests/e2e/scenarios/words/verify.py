"""Commands and entrypoints arrive word for word: quotes, globs, newlines, `$$`, templates, the image's own defaults."""

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
    said = {service: eventually(lambda service=service: system.logs(service)) for service in (*WORDS, *LINES)}
    assert said == {service: "".join(f"<{word}>" for word in words) + "\n" for service, words in WORDS.items()} | LINES
