"""Where a claim comes from: a paper, a place in it, and the documents that repeat it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ntk.errors import InvalidTypeError, InvalidValueError


@dataclass(frozen=True)
class Source:
    """A place in a paper, by the paper's key in the bibliography.

    Parameters
    ----------
    cite : str or None
        Key in ``book/references.bib``, such as ``"jacot2018"``; None for a plain text.
    where : str
        Theorem, equation or section.
    seeds : sequence of str
        Seed documents that state or imply the claim, such as ``("S3",)``.
    label : str
        How the paper is called in running text; made from the key if left out.

    Examples
    --------
    >>> str(Source("jacot2018", "Proposition 1", ("S3",), "Jacot et al. 2018"))
    'Jacot et al. 2018, Proposition 1; seed S3'
    >>> str(Source(cite="lee2019", seeds=("S0", "S1")))
    'Lee 2019; seeds S0, S1'
    """

    cite: str | None = None
    where: str = ""
    seeds: Sequence[str] = ()
    label: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.seeds, str):  # "S3" would be read as the seeds "S" and "3"
            raise InvalidTypeError(f'seeds must be a tuple of names, got {self.seeds!r}; add a ","')
        object.__setattr__(self, "seeds", tuple(self.seeds))
        if self.cite is not None and not re.fullmatch(r"[A-Za-z][\w:.+-]*", self.cite):
            raise InvalidValueError(
                f"cite must be a bibliography key such as 'jacot2018', got {self.cite!r}; "
                "put free text into label or where"
            )
        if not (self.cite or self.where or self.label or self.seeds):
            raise InvalidValueError("a source needs a cite key, a place or a seed; got nothing")

    @property
    def name(self) -> str:
        """What the paper is called: the label, or the key as "Name Year"."""
        if self.label or self.cite is None:
            return self.label
        match = re.fullmatch(r"([A-Za-z]+)(\d{4})\w*", self.cite)
        return f"{match[1].capitalize()} {match[2]}" if match else self.cite

    @property
    def rest(self) -> str:
        """What follows the paper's name: the place and the seeds."""
        place = f", {self.where}" if self.where else ""
        seeds = f"; seed{'s' * (len(self.seeds) > 1)} {', '.join(self.seeds)}" if self.seeds else ""
        return place + seeds

    def __str__(self) -> str:
        return (self.name + self.rest).lstrip(",; ")


def as_sources(source: "str | Source | Sequence[str | Source]") -> tuple[Source, ...]:
    """Return what `check` was given as a tuple of sources.

    Examples
    --------
    >>> as_sources("Lee et al. 2019, eq. 5")[0].label
    'Lee et al. 2019, eq. 5'
    """
    if isinstance(source, Source):
        return (source,)
    if isinstance(source, str):
        if not source.strip():
            raise InvalidValueError("source is empty; say which paper, theorem or equation")
        return (Source(label=source.strip()),)
    if not source:
        raise InvalidTypeError(
            f"source must be a string, a claims.Source or a sequence of these, got {source!r}"
        )
    return tuple(s for one in source for s in as_sources(one))
