"""Citations by author and year, as the field writes them: Jacot et al. (2018).

sphinxcontrib-bibtex has such references, in square brackets, but no bibliography that goes with
them: its labels are of the kind [JGH18]. Here the entries have the same names as the references.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from docutils import nodes
from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style as UnsortedStyle
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting import BaseSortingStyle
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinxcontrib.bibtex.plugin import register_plugin as register_referencing
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle

# Up to two authors are named.
BOTH = 2


def round_brackets() -> BracketStyle:
    """Return round brackets around the years."""
    return BracketStyle(left="(", right=")")


@dataclass
class References(AuthorYearReferenceStyle):
    """References in the text."""

    bracket_textual: BracketStyle = field(default_factory=round_brackets)
    bracket_parenthetical: BracketStyle = field(default_factory=round_brackets)


class Labels(BaseLabelStyle):
    """Labels in the bibliography."""

    def format_labels(self, entries: Iterable[Entry]) -> Iterator[str]:
        """Yield the label of each entry; each must be the only one of its name."""
        labels = [label(entry) for entry in entries]
        twice = [name for name, count in Counter(labels).items() if count > 1]
        if twice:
            raise ExtensionError(
                f"references.bib: several entries are {', '.join(twice)}; a reference could not "
                "say which is meant. Give their years letters: 2020a, 2020b."
            )
        yield from labels


class ByLabel(BaseSortingStyle):
    """The order of the bibliography: that of its labels, accents aside."""

    def sorting_key(self, entry: Entry) -> str:
        """Return what entries are sorted by."""
        plain = unicodedata.normalize("NFD", label(entry).casefold())
        return "".join(letter for letter in plain if not unicodedata.combining(letter))


class Bibliography(UnsortedStyle):
    """Entries as the plain style has them, under labels by author and year."""

    default_sorting_style = ByLabel
    default_label_style = Labels


def label(entry: Entry) -> str:
    """Return author and year of an entry."""
    people = entry.persons.get("author") or entry.persons["editor"]
    # The rich names, in which accents written in TeX have become letters.
    names = [" ".join(map(str, p.rich_prelast_names + p.rich_last_names)) for p in people]
    who = " and ".join(names) if len(names) <= BOTH else f"{names[0]} et al."
    return f"{who} ({entry.fields['year']})"


def drop_backlinks(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Take the links back from the entries: they would lead to this page's own references only."""
    for entry in doctree.findall(nodes.citation):
        entry["backrefs"] = []


def setup(app: Sphinx) -> dict[str, object]:
    """Register the extension."""
    register_referencing("sphinxcontrib.bibtex.style.referencing", "author_year_round", References)
    register_plugin("pybtex.style.formatting", "author_year", Bibliography)
    app.connect("doctree-resolved", drop_backlinks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
