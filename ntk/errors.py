"""Errors of the package: each names the argument, what came, what was expected and the fix."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class NTKError(Exception):
    """Base of every error that this package raises on purpose."""


class InvalidValueError(NTKError, ValueError):
    """An argument of the right type has a value that cannot be used."""


class ShapeError(NTKError, ValueError):
    """An array has the wrong rank or shape."""


class InvalidTypeError(NTKError, TypeError):
    """An argument has a type that cannot be used."""


class MissingExtraError(NTKError, ImportError):
    """A part of the package was asked for whose optional dependencies are not installed."""


class ClaimFailedError(NTKError, AssertionError):
    """A claim of the book did not pass its own acceptance rule."""


class UnknownNameError(NTKError, KeyError):
    """A name is not among the known ones; the message lists close matches."""

    def __str__(self) -> str:
        # KeyError prints the repr of its argument, which would show a sentence in quotes.
        return str(self.args[0]) if self.args else ""


@contextmanager
def located(place: str, position: int, thing: Any) -> Iterator[None]:
    """Say in an error which layer of a description it comes from."""
    try:
        yield
    except NTKError as error:
        message = f"in {place} {position}, {thing!r}: {error}"
        raise type(error)(message).with_traceback(error.__traceback__) from None


class NTKWarning(UserWarning):
    """Base of every warning of this package."""


class PrecisionWarning(NTKWarning):
    """float64 was asked for, but JAX is set to keep float32 only."""


class SingularGramWarning(NTKWarning):
    """A Gram matrix is singular, without a ridge, and its null space has a part of the targets."""


class UnstableLearningRateWarning(NTKWarning):
    """Gradient descent with this learning rate does not converge."""
