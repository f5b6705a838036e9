"""The activations that have a name, and what the names are."""

from ntk import checks
from ntk.layers.activations.elementwise import Elementwise
from ntk.layers.activations.elu import Elu
from ntk.layers.activations.exponentials import Exp, ExpNormalized, Gabor, Gaussian
from ntk.layers.activations.gates import Gelu, Silu, Softplus
from ntk.layers.activations.kinked import Abs, LeakyRelu, Relu, Sign
from ntk.layers.activations.periodic import Cos, Rbf, Sin
from ntk.layers.activations.polynomials import Identity
from ntk.layers.activations.sigmoids import Erf, Sigmoid, SigmoidLike, Tanh

ACTIVATIONS: dict[str, type[Elementwise]] = {
    "abs": Abs,
    "cos": Cos,
    "elu": Elu,
    "erf": Erf,
    "exp": Exp,
    "exp_normalized": ExpNormalized,
    "gabor": Gabor,
    "gaussian": Gaussian,
    "gelu": Gelu,
    "identity": Identity,
    "leaky_relu": LeakyRelu,
    "rbf": Rbf,
    "relu": Relu,
    "sigmoid": Sigmoid,
    "sigmoid_like": SigmoidLike,
    "sign": Sign,
    "silu": Silu,
    "sin": Sin,
    "softplus": Softplus,
    "swish": Silu,
    "tanh": Tanh,
}
"""The names that :func:`ntk.mlp` understands."""


def activation(name: str | Elementwise) -> Elementwise:
    """Return the activation with this name; an activation passes unchanged.

    Raises
    ------
    InvalidValueError
        If the name is unknown; the message lists close matches.

    Examples
    --------
    >>> from ntk.layers import activation
    >>> activation("relu")
    Relu()
    """
    if isinstance(name, Elementwise):
        return name
    return ACTIVATIONS[checks.choice("activation", name, ACTIVATIONS)]()
