"""The negative control: something to which the same check must say no."""

from dataclasses import dataclass
from typing import Any

from ntk.errors import InvalidValueError


@dataclass(frozen=True, eq=False)
class Control:
    """What should not pass: a wrong constant, a misprint, a net that is too narrow.

    Parameters
    ----------
    what : str
        What is wrong with it, in a few words.
    measured : array_like or Scaling
        Its measurement, of the form that the claim's rule takes.
    predicted : array_like, optional
        Its prediction; the claim's own if left out.

    Examples
    --------
    >>> Control("without the factor 2", measured=0.5).what
    'without the factor 2'
    """

    what: str
    measured: Any
    predicted: Any = None

    def __post_init__(self) -> None:
        if not self.what.strip():
            raise InvalidValueError(
                f"what must say in words what is wrong with the control, got {self.what!r}"
            )
