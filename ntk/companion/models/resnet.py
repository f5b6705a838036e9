"""A residual network with 18 layers, as it is used for pictures of 32 x 32 pixels."""

from typing import Any, cast

import jax
from flax import linen
from jax import Array
from jaxtyping import PRNGKeyArray

from ntk.model import Model


class ResNet18(linen.Module):
    """ResNet-18 for small pictures (He et al. 2016): no pooling and no stride before the blocks.

    Attributes
    ----------
    classes : int
        Number of outputs.
    width : int
        Channels of the first stage; each of the three later ones has twice as many.
    """

    classes: int = 10
    width: int = 64

    @linen.compact
    def __call__(self, x: Array, train: bool = False) -> Array:
        """Return the outputs ``(n, classes)`` of pictures ``(n, rows, columns, channels)``."""

        def norm(x: Array) -> Array:
            # Without momentum the statistics are those of the last batch seen in training mode.
            layer = linen.BatchNorm(use_running_average=not train, momentum=0.0)
            normalised: Array = layer(x)
            return normalised

        def conv(x: Array, channels: int, window: int = 3, stride: int = 1) -> Array:
            layer = linen.Conv(channels, (window, window), stride, padding="SAME", use_bias=False)
            convolved: Array = layer(x)
            return convolved

        x = linen.relu(norm(conv(x, self.width)))
        for stage in range(4):
            channels = self.width * 2**stage
            for block in range(2):
                stride = 2 if stage and not block else 1
                h = linen.relu(norm(conv(x, channels, stride=stride)))
                h = norm(conv(h, channels))
                if x.shape != h.shape:
                    x = norm(conv(x, channels, window=1, stride=stride))
                x = linen.relu(x + h)
        outputs: Array = linen.Dense(self.classes)(x.mean((1, 2)))
        return outputs


def resnet18(
    key: PRNGKeyArray, images: Array, *, width: int = 64, classes: int = 10
) -> tuple[Model, Any]:
    """Draw a ResNet-18 and fix its batch statistics: the model as it is used after training.

    BatchNorm in training mode mixes the examples of a batch, and the tangent kernel of two
    pictures would depend on the others. So it is taken in inference mode here, with the mean and
    the variance of each channel over ``images``.

    Parameters
    ----------
    key : PRNGKeyArray
        Where the parameters come from.
    images : Array, shape (n, rows, columns, channels)
        The pictures that the statistics are taken from.
    width : int, default 64
        Channels of the first stage.
    classes : int, default 10
        Number of outputs.

    Returns
    -------
    f : callable
        The model ``f(params, x)``, with results ``(n, classes)``.
    params : pytree of Array
        Weights, scales and shifts.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> def outputs(key, images):
    ...     f, params = resnet18(key, images)
    ...     return f(params, images)
    >>> jax.eval_shape(outputs, jax.random.key(0), jnp.ones((5, 32, 32, 3))).shape
    (5, 10)
    """
    model = ResNet18(classes, width)
    variables = jax.jit(model.init)(key, images[:1])
    _, seen = jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=["batch_stats"]))(
        variables, images
    )

    def f(params: Any, x: Array) -> Array:
        return cast(Array, model.apply({"params": params, **seen}, x))

    return f, variables["params"]
