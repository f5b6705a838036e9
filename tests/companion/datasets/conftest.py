"""What the tests of the data sets share."""

import inspect

import pytest


@pytest.fixture
def plainly():
    """A function as a user calls it, without the type checker that the test run wraps around it."""
    return inspect.unwrap
