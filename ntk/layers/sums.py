"""Sums of branches: residual blocks and parallel sums."""

import dataclasses
from functools import reduce
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike
from jaxtyping import PRNGKeyArray

from ntk.errors import InvalidTypeError, InvalidValueError, ShapeError, located
from ntk.layers.base import Layer, Limit, Params, description
from ntk.layers.composite import Composite
from ntk.layers.pair import Pair, root
from ntk.layers.repeat import Chain
from ntk.pytrees import register
from ntk.state import State


@register
@dataclasses.dataclass(frozen=True)
class SumOfLimits(Limit):
    """The limit of independent branches that are added."""

    branches: tuple[Any, ...]

    def propagate(self, state: State) -> State:
        """Carry the state through each branch and add."""
        states: list[State] = [branch.propagate(state) for branch in self.branches]
        return reduce(_add, states)

    def needs_pairs(self) -> bool | None:
        """Return whether a branch needs them; ``None`` if none decides it."""
        said = {branch.needs_pairs() for branch in self.branches} - {None}
        return any(said) if said else None

    @property
    def couples_batch(self) -> bool:  # type: ignore[override]
        """Whether a branch does."""
        return any(branch.couples_batch for branch in self.branches)

    @property
    def single_variances(self) -> bool:  # type: ignore[override]
        """Whether all branches do."""
        return all(branch.single_variances for branch in self.branches)

    def needs_paired_variances(self) -> bool:
        """Whether a branch needs them."""
        return any(branch.needs_paired_variances() for branch in self.branches)


@jax.tree_util.register_pytree_with_keys_class
@dataclasses.dataclass(frozen=True, init=False, repr=False)
class ParallelSum(Composite):
    r"""Branches that see the same input, added: :math:`f(x) = \sum_b f_b(x)`.

    Their kernels add, since the weights of one branch are independent of all others (Yang 2019,
    section 2). This needs all branches but one to end in weights of their own.

    Parameters
    ----------
    *branches : Layer
        At least two.

    Raises
    ------
    InvalidTypeError
        If something among them is not a layer.
    InvalidValueError
        If there are fewer than two, or more than one does not end in a layer with weights.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> net = ntk.ParallelSum(ntk.Dense(8), ntk.Serial(ntk.Dense(8), ntk.Relu(), ntk.Dense(8)))
    >>> ntk.kernel(net, jnp.ones((1, 3)), get="nngp").item()
    1.5
    """

    field: ClassVar[str] = "branches"
    word: ClassVar[str] = "branch"
    branches: tuple[Any, ...]

    def __init__(self, *branches: Layer) -> None:
        super().__init__(*branches)
        if len(branches) < 2:
            raise InvalidValueError(f"a sum needs at least two branches, got {len(branches)}")
        loose = [i for i, branch in enumerate(branches) if not branch.centred]
        if len(loose) > 1:
            raise InvalidValueError(
                f"branches {loose} do not end in a layer with weights of its own, so that their "
                "sum has no limit that is the sum of theirs; end all branches but one with "
                "ntk.Dense or ntk.Conv"
            )

    @property
    def centred(self) -> bool | None:  # type: ignore[override]
        """Whether all branches end in weights."""
        return all(branch.centred for branch in self.branches)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw the parameters of each branch; returns a tuple with one entry a branch."""
        keys = jax.random.split(key, len(self.branches))
        params = []
        for i, (branch, branch_key) in enumerate(zip(self.branches, keys, strict=True)):
            with located("branch", i, branch):
                params.append(branch.init(branch_key, in_shape, dtype=dtype))
        return tuple(params)

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the branches on a batch and add."""
        results: list[Array] = []
        for i, (branch, branch_params) in enumerate(zip(self.branches, params, strict=True)):
            with located("branch", i, branch):
                results.append(branch.apply(branch_params, x))
        shapes = [y.shape[1:] for y in results]
        if len(set(shapes)) > 1:
            raise ShapeError(f"the branches must have the same shape to be added, got {shapes}")
        total: Array = reduce(jnp.add, results)
        return total

    def limit(self) -> Limit:
        """Return the sum of the branches' limits."""
        return SumOfLimits(tuple(self.limits()))

    def propagate(self, state: State) -> State:
        """Add the kernels of the branches."""
        states: list[State] = []
        for i, branch in enumerate(self.branches):
            with located("branch", i, branch):
                states.append(branch.propagate(state))
        return reduce(_add, states)


@description
class Residual(Layer):
    r"""A block beside the identity: :math:`f(x) = x + g(x)` (He et al. 2016).

    The kernels of input and block add (Yang 2019, section 2), since the block ends in weights of
    its own.

    Parameters
    ----------
    block : Layer
        What is added to its input, of the same shape.

    Raises
    ------
    InvalidTypeError
        If ``block`` is not a layer.
    InvalidValueError
        If it does not end in a layer with weights: input and block would be correlated.

    Examples
    --------
    >>> import jax.numpy as jnp, ntk
    >>> block = ntk.Residual(ntk.Serial(ntk.Relu(), ntk.Dense(64, sigma_w=2**0.5)))
    >>> ntk.kernel(ntk.Serial(ntk.Dense(64), block), jnp.ones((1, 3)), get="nngp").item()
    2.0
    """

    block: Any

    def __post_init__(self) -> None:
        """Check the block, unless JAX put something in its place."""
        if isinstance(self.block, type) or (callable(self.block) and not self._is_layer()):
            raise InvalidTypeError(
                f"block must be a layer such as ntk.Serial(...), got {self.block!r}"
            )
        if self._is_layer() and not self.block.centred:
            raise InvalidValueError(
                f"block must end in a layer with weights such as ntk.Dense or ntk.Conv, got "
                f"{self.block!r}: without, input and block are correlated"
            )

    def _is_layer(self) -> bool:
        return isinstance(self.block, Layer)

    def init(self, key: PRNGKeyArray, in_shape: tuple[int, ...], *, dtype: Any = None) -> Params:
        """Draw the parameters of the block."""
        params: Params = self.block.init(key, in_shape, dtype=dtype)
        return params

    def apply(self, params: Params, x: ArrayLike) -> Array:
        """Evaluate the block and add its input."""
        x = jnp.asarray(x)
        y: Array = self.block.apply(params, x)
        if y.shape != x.shape:
            raise ShapeError(
                f"block must keep the shape of its input, got {x.shape[1:]} and returned "
                f"{y.shape[1:]} for one example; adapt width, strides or padding"
            )
        return x + y

    def limit(self) -> Limit:
        """Return the sum of the identity's and the block's limits."""
        return SumOfLimits((Chain(()), self.block.limit()))

    def propagate(self, state: State) -> State:
        """Add the kernels of the input and of the block."""
        return _add(state, self.block.propagate(state))


def _add(first: State, second: State) -> State:
    if first.cov.shape != second.cov.shape or first.paired != second.paired:
        raise ShapeError(
            "the branches must have the same positions to be added, got "
            f"{first.positions} and {second.positions}; adapt strides, pools or padding"
        )
    if first.features != second.features:
        raise ShapeError(
            "the branches must have the same width to be added, got "
            f"{first.features} and {second.features} features"
        )
    added = dataclasses.replace(
        first,
        gaussian=first.gaussian and second.gaussian,
        cov=first.cov + second.cov,
        tangent=None
        if first.tangent is None or second.tangent is None
        else first.tangent + second.tangent,
        var1=first.var1 + second.var1,
        var2=first.var2 + second.var2,
        gap=None,
    )
    if first.gap is None or second.gap is None:
        return added
    return dataclasses.replace(added, gap=_added_gap(added, _pair(first), _pair(second)))


def _pair(state: State) -> Pair:
    assert state.gap is not None
    return Pair(state.cov, *state.variances(), state.gap)


def _added_gap(added: State, first: Pair, second: Pair) -> Array:
    """Return the gap of a sum: squares of differences add, and so do those of sums."""
    near = first.half_square_difference + second.half_square_difference
    opposed = first.half_square_sum + second.half_square_sum
    var1, var2 = added.variances()
    radial = 0.5 * (root(var1) - root(var2)) ** 2
    return jnp.maximum(jnp.where(added.cov >= 0, near, opposed) - radial, 0.0)
