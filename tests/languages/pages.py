"""What a page shows to people, as text: without code, samples and what a machine reads."""

from html.parser import HTMLParser

MACHINES = {"code", "kbd", "pre", "script", "style", "svg", "textarea"}
SHOWN_ATTRIBUTES = {"alt", "aria-label", "placeholder", "title"}
EMPTY = {"br", "hr", "img", "input", "link", "meta", "rect", "polyline", "polygon", "line", "path"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0
        self.lang = ""
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.lang = values.get("lang") or ""
        if not self.skipped:
            self.texts += [text for name, text in attrs if name in SHOWN_ATTRIBUTES and text]
        if tag not in EMPTY and (
            self.skipped or tag in MACHINES or ("lang" in values and tag != "html")
        ):
            self.skipped += 1

    def handle_endtag(self, tag: str) -> None:
        if self.skipped and tag not in EMPTY:
            self.skipped -= 1

    def handle_data(self, data: str) -> None:
        if not self.skipped and data.strip():
            self.texts.append(" ".join(data.split()))


def read(html: str) -> tuple[str, list[str]]:
    """The language of the page, and its texts."""
    reader = _Reader()
    reader.feed(html)
    return reader.lang, reader.texts
