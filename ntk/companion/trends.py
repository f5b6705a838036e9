"""Does a share rise or fall with a score? The test of Cochran and Armitage."""

from typing import Any

import numpy as np
from scipy import special

from ntk.errors import InvalidValueError, ShapeError


def falling_share(scores: Any, hits: Any) -> float:
    r"""Test whether the share of hits falls with the score (Cochran 1954, Armitage 1955).

    With the share :math:`\bar p` of all trials,

    .. math:: z = \frac{\sum (s - \bar s)(h - \bar p)}
              {\sqrt{\bar p (1 - \bar p) \sum (s - \bar s)^2}}

    over all trials is about standard normal if the share is the same at every score.

    Parameters
    ----------
    scores : array_like, shape (m,)
        A number for each group, such as the logarithm of a width.
    hits : array_like of bool, shape (m, trials)
        Whether each trial of a group was a hit.

    Returns
    -------
    float
        The one-sided p-value; 0.5 if all trials came out alike.

    Raises
    ------
    ShapeError, InvalidValueError
        If there is not a row of trials for each score, or all scores are equal.

    Examples
    --------
    >>> import numpy as np
    >>> falling = np.arange(10) < np.array([9, 5, 1])[:, None]
    >>> falling_share([0, 1, 2], falling) < 0.001 < falling_share([2, 1, 0], falling)
    True
    """
    s, h = np.asarray(scores, np.float64), np.asarray(hits, np.float64)
    if s.ndim != 1 or h.ndim != 2 or len(h) != len(s):
        raise ShapeError(
            f"hits must have shape (m, trials) for m scores, got {h.shape} for {s.shape}"
        )
    centred, share = s - s.mean(), h.mean()
    if not centred.any():
        raise InvalidValueError(f"scores must differ, got {s.tolist()}")
    if share in (0.0, 1.0):
        return 0.5
    spread = np.sqrt(share * (1 - share) * h.shape[1] * (centred @ centred))
    return float(special.ndtr(centred @ (h - share).sum(axis=1) / spread))
