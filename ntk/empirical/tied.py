r"""A weight and, elsewhere, its transpose: what two uses of one leaf contribute together.

If one use gives :math:`\partial f_k / \partial W = \sum_s a_s g_{ks}^\top` and the other
:math:`\sum_t \gamma_{kt} h_t^\top`, as the look-up and the readout of tied embeddings do, the inner
product of the first with the second is

.. math:: \sum_{s,t} \langle a_s, \gamma'_{lt} \rangle \langle g_{ks}, h'_t \rangle :

the inputs of each meet the cotangents of the other, and no Jacobian is formed.
"""

import jax.numpy as jnp
from jax import Array

from ntk.empirical.contraction import EXACT
from ntk.empirical.uses import Inputs

Features = tuple[Inputs, Array]
"""Inputs, and cotangents ``(n, k, b, s, o)``, of all positions of a part."""


def together(one: Features, two: Features, reduction: str) -> Array:
    """Return the inner products of derivatives by one use with derivatives by the other."""
    left, right = _meet(one[0], two[1]), _meet(two[0], one[1])
    pattern = {
        "full": "bnsmlt,bmtnks->nkml",
        "mean": "bnsmkt,bmtnks->nm",
        "diagonal": "bnsmkt,bmtnks->nmk",
    }[reduction]
    return jnp.einsum(pattern, left, right, precision=EXACT)


def _meet(inputs: Inputs, cotangents: Array) -> Array:
    """Inner products of inputs ``(n, b, s, i)`` with cotangents, ``(b, n, s, m, l, t)``."""
    if len(inputs) == 1:
        return jnp.einsum("nbsi,mlbti->bnsmlt", inputs[0], cotangents, precision=EXACT)
    rows, factors = inputs
    # Row -1 stands for one outside the table; a look-up of it is constant.
    factors = jnp.where(rows < 0, 0, factors)
    picked = jnp.take(cotangents[:, :, 0], rows, axis=-1, mode="clip") * factors
    return picked.transpose(3, 4, 0, 1, 2)[None]
