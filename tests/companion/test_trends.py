"""The test for a trend in shares."""

import numpy as np
import pytest
from scipy import stats

from ntk.companion.trends import falling_share
from ntk.errors import InvalidValueError, ShapeError


def test_two_groups_are_the_test_of_two_shares():
    hits = np.arange(50) < np.array([20, 10])[:, None]
    z = (20 - 10) / (30 / 100 * 70 / 100 * 2 * 50) ** 0.5
    np.testing.assert_allclose(falling_share([0, 1], hits), stats.norm.sf(z), rtol=1e-10)


def test_without_a_trend_the_values_are_uniform():
    rng = np.random.default_rng(0)
    values = [falling_share(range(5), rng.random((5, 50)) < 0.3) for _ in range(1000)]
    for level in (0.05, 0.5, 0.9):
        assert abs(np.mean(np.array(values) < level) - level) < 0.06


def test_a_shift_or_scale_of_the_scores_does_not_matter():
    hits = np.arange(20) < np.array([9, 7, 2])[:, None]
    one, other = falling_share([0, 1, 2], hits), falling_share([5, 8, 11], hits)
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_edges():
    assert falling_share([0, 1], np.zeros((2, 5))) == falling_share([0, 1], np.ones((2, 5))) == 0.5
    with pytest.raises(ShapeError, match="for m scores"):
        falling_share([0, 1, 2], np.zeros((2, 5)))
    with pytest.raises(InvalidValueError, match="must differ"):
        falling_share([1, 1], np.zeros((2, 5)))
