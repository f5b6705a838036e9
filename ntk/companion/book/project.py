"""Where the book's parts lie in a checkout, and what its notebooks are."""

from dataclasses import dataclass
from pathlib import Path

from ntk.errors import InvalidValueError, UnknownNameError

__all__ = ["Pair", "Problem", "Project"]


@dataclass(frozen=True)
class Problem:
    """Something that must not be published: where it is, and what is wrong with it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Pair:
    """One notebook: the written `.md` and the executed `.ipynb` beside it.

    Examples
    --------
    >>> from pathlib import Path
    >>> pair = Pair(Path("notebooks"), "02_gradient_flow")
    >>> pair.ipynb.name, pair.chapter
    ('02_gradient_flow.ipynb', '02')
    """

    folder: Path
    slug: str

    @property
    def md(self) -> Path:
        """The written side."""
        return self.folder / f"{self.slug}.md"

    @property
    def ipynb(self) -> Path:
        """The executed side."""
        return self.folder / f"{self.slug}.ipynb"

    @property
    def chapter(self) -> str:
        """The two digits that name the chapter."""
        return self.slug[:2]


@dataclass(frozen=True)
class Project:
    """A checkout of the project.

    Parameters
    ----------
    root
        The folder with `_config.yml` and `notebooks`.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Return the checkout that contains a folder.

        Parameters
        ----------
        start
            Where to begin; the working directory if not given.

        Raises
        ------
        InvalidValueError
            Neither the folder nor one above it is a checkout.
        """
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "_config.yml").is_file() and (folder / "notebooks").is_dir():
                return cls(folder)
        raise InvalidValueError(
            f"start: {start} is not inside a checkout of the book (no folder with _config.yml and "
            "notebooks above it); change to one, the installed package alone has no notebooks."
        )

    @property
    def notebooks(self) -> Path:
        """The folder of the notebooks."""
        return self.root / "notebooks"

    @property
    def build(self) -> Path:
        """The folder of everything that is made and can be made again."""
        return self.root / "_build"

    @property
    def html(self) -> Path:
        """The folder of the built site."""
        return self.build / "html"

    def pairs(self, names: list[str] | None = None) -> list[Pair]:
        """Return the notebooks, in the order of their chapters.

        Parameters
        ----------
        names
            Slugs, numbers of chapters or file names to choose from; all notebooks if not given.

        Raises
        ------
        UnknownNameError
            A name is none of a notebook.
        """
        slugs = sorted({path.stem for path in self._files()})
        every = [Pair(self.notebooks, slug) for slug in slugs]
        if not names:
            return every
        chosen = []
        for name in names:
            wanted = Path(name).name.removesuffix(".md").removesuffix(".ipynb")
            found = [pair for pair in every if wanted in {pair.slug, pair.chapter}]
            if not found:
                raise UnknownNameError(
                    f"notebook: there is no {name!r}; "
                    f"the notebooks are {', '.join(slugs) or 'none'}."
                )
            chosen += [pair for pair in found if pair not in chosen]
        return chosen

    def show(self, path: Path) -> str:
        """Return a path as it is written in messages: relative to the checkout."""
        return (
            path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)
        )

    def _files(self) -> list[Path]:
        """Return the notebooks' files of either kind; a leading dot marks a file half written."""
        return [
            path
            for path in self.notebooks.iterdir()
            if path.suffix in {".md", ".ipynb"} and path.name[:1] not in {".", "_"}
        ]
