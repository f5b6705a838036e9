"""What can go wrong in a benchmark, said to the one who runs it."""

from ntk.errors import NTKError


class PeerMissingError(NTKError, RuntimeError):
    """The peer's environment is not there and cannot be made."""


class WorkerFailedError(NTKError, RuntimeError):
    """A worker ended before it was told to."""


class DifferentResultsError(NTKError, RuntimeError):
    """Two sides were not given the same inputs, or did not compute the same thing."""


class ChangedError(NTKError, RuntimeError):
    """The code is no longer the one that the measurements so far were made with."""


class RecordError(NTKError, ValueError):
    """A record does not have the form that it should."""
