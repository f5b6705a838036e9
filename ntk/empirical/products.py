"""Where a weight meets its input: matrix products, convolutions, look-ups, sums."""

import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ntk.empirical.normal_form import LOOKUP, PRODUCT, SUM, Layout, Product
from ntk.empirical.program import Program, Step

LARGEST_WINDOW = 64
"""Patches of larger windows are taken by a convolution, of smaller ones by slices."""


def product(program: Program, step: Step, operand: int) -> Product | None:
    """Return the normal form of a step for the weight at this operand, if it has one."""
    read = {
        "dot_general": _matrix_product,
        "conv_general_dilated": _convolution,
        "gather": _look_up,
        "add": _sum,
        "sub": _sum,
    }.get(step.name)
    return None if read is None else read(program, step, operand)


def _matrix_product(program: Program, step: Step, operand: int) -> Product:
    other = 1 - operand
    contracting, batch = step.params["dimension_numbers"]
    summed, summed_other = contracting[operand], contracting[other]
    shared, shared_other = batch[operand], batch[other]
    weight = program.avals[step.inputs[operand]].shape
    vector = program.avals[step.inputs[other]].shape
    free = _rest(weight, summed, shared)
    free_other = _rest(vector, summed_other, shared_other)
    b, i = _size(weight, shared), _size(weight, summed)
    s, o = _size(vector, free_other), _size(weight, free)

    # The result has the shared axes first, then the free ones of the left operand.
    left = len(shared) + (len(free_other) if operand == 1 else len(free))
    lead, first, last = range(len(shared)), range(len(shared), left), range(left, _rank(step))
    axes = (*lead, *first, *last) if operand == 1 else (*lead, *last, *first)

    return Product(
        Layout(PRODUCT, tuple(shared), tuple(summed), free),
        *(b, s, i, o),
        other=step.inputs[other],
        result=step.outputs[0],
        axes=axes,
        inputs=lambda a: a.transpose(*shared_other, *free_other, *summed_other).reshape(b, s, i),
    )


def _convolution(program: Program, step: Step, operand: int) -> Product | None:
    params = step.params
    if operand != 1 or params["batch_group_count"] != 1:
        return None
    numbers = params["dimension_numbers"]
    image = program.avals[step.inputs[0]].shape
    weight = program.avals[step.inputs[1]].shape
    result = program.avals[step.outputs[0]].shape
    groups = params["feature_group_count"]
    window = tuple(weight[axis] for axis in numbers.rhs_spec[2:])
    examples = image[numbers.lhs_spec[0]]
    s = examples * math.prod(result[axis] for axis in numbers.out_spec[2:])
    i, o = _size(weight, numbers.rhs_spec[1:]), weight[numbers.rhs_spec[0]] // groups

    def inputs(a: Array) -> Array:
        patches = _patches(a.transpose(numbers.lhs_spec), window, params)
        # (examples, channels * window, *positions), where the groups divide the channels.
        patches = patches.reshape(examples, groups, i, -1)
        return patches.transpose(1, 0, 3, 2).reshape(groups, s, i)

    return Product(
        Layout("convolution", (), tuple(numbers.rhs_spec[1:]), (numbers.rhs_spec[0],), groups),
        *(groups, s, i, o),
        other=step.inputs[0],
        result=step.outputs[0],
        axes=(numbers.out_spec[0], *numbers.out_spec[2:], numbers.out_spec[1]),
        inputs=inputs,
        grouped=groups > 1,
    )


def _patches(image: Array, window: tuple[int, ...], params: Any) -> Array:
    """Return what each position of the result sees, ``(n, channels * window, *positions)``."""
    strides, padding = params["window_strides"], params["padding"]
    image_dilation, dilation = params["lhs_dilation"], params["rhs_dilation"]
    if math.prod(window) > LARGEST_WINDOW:
        return jax.lax.conv_general_dilated_patches(
            image, window, strides, padding, image_dilation, dilation
        )
    edges = [(0, 0, 0), (0, 0, 0)]
    edges += [(lo, hi, d - 1) for (lo, hi), d in zip(padding, image_dilation, strict=True)]
    padded = jax.lax.pad(image, jnp.zeros((), image.dtype), edges)
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    counts = [
        (size - r) // step + 1
        for size, r, step in zip(padded.shape[2:], reach, strides, strict=True)
    ]

    def seen_at(offset: tuple[int, ...]) -> Array:
        start = [o * d for o, d in zip(offset, dilation, strict=True)]
        stop = [
            first + (count - 1) * step + 1
            for first, count, step in zip(start, counts, strides, strict=True)
        ]
        return jax.lax.slice(padded, (0, 0, *start), (*padded.shape[:2], *stop), (1, 1, *strides))

    seen = [seen_at(offset) for offset in itertools.product(*map(range, window))]
    stacked = jnp.stack(seen, axis=2)  # (n, channels, window, *positions)
    return stacked.reshape(stacked.shape[0], -1, *stacked.shape[3:])


def _look_up(program: Program, step: Step, operand: int) -> Product | None:
    numbers = step.params["dimension_numbers"]
    table = program.avals[step.inputs[0]].shape
    indices = program.avals[step.inputs[1]].shape
    rows_only = (
        operand == 0
        and tuple(numbers.start_index_map) == (0,)
        and tuple(numbers.collapsed_slice_dims) == (0,)
        and not numbers.operand_batching_dims
        and tuple(step.params["slice_sizes"]) == (1, *table[1:])
    )
    if not rows_only:
        return None
    s, o = math.prod(indices[:-1]), math.prod(table[1:])
    within = tuple(numbers.offset_dims)
    outside = tuple(axis for axis in range(_rank(step)) if axis not in within)
    clips = "CLIP" in str(step.params["mode"])

    def inputs(a: Array) -> Array:
        rows = a.reshape(s).astype(int)
        if clips:
            return jnp.clip(rows, 0, table[0] - 1)
        # A row outside the table is read as a constant: it meets no other row, not even itself.
        return jnp.where((rows >= 0) & (rows < table[0]), rows, -1)

    return Product(
        Layout(LOOKUP, (), (0,), tuple(range(1, len(table)))),
        *(1, s, table[0], o),
        other=step.inputs[1],
        result=step.outputs[0],
        axes=(*outside, *within),
        inputs=inputs,
    )


def _sum(program: Program, step: Step, operand: int) -> Product | None:
    """Read a bias: a matrix product with the number one at every position."""
    weight = program.avals[step.inputs[operand]].shape
    result = program.avals[step.outputs[0]].shape
    # Axes of length one may be spread by the sum itself, and numbers over everything.
    if weight and len(weight) != len(result):
        return None
    own = tuple(axis for axis, size in enumerate(weight) if size == result[axis])
    return bias(program, step, operand, own)


def bias(program: Program, step: Step, operand: int, own: tuple[int, ...]) -> Product:
    """Return the normal form of a sum of which the weight has the axes ``own`` of the result."""
    result = program.avals[step.outputs[0]].shape
    positions = _rest(result, own)
    s, o = _size(result, positions), _size(result, own)
    sign = -1.0 if step.name == "sub" and operand == 1 else 1.0
    dtype = program.avals[step.inputs[operand]].dtype
    return Product(
        Layout(SUM, (), (), ()),
        *(1, s, 1, o),
        other=None,
        result=step.outputs[0],
        axes=(*positions, *own),
        inputs=lambda _: jnp.full((1, s, 1), sign, dtype),
    )


def _rest(shape: tuple[int, ...], *taken: Any) -> tuple[int, ...]:
    gone = {axis for axes in taken for axis in axes}
    return tuple(axis for axis in range(len(shape)) if axis not in gone)


def _rank(step: Step) -> int:
    return len(step.equation.outvars[0].aval.shape)


def _size(shape: tuple[int, ...], axes: Any) -> int:
    return math.prod(shape[axis] for axis in axes)
