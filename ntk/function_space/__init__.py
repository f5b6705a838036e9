"""Training seen in the space of functions (Jacot et al. 2018, section 3).

A function is its values on the data, ``(n, k)``; the measure of the inputs is ``n`` points with
weights; a kernel is ``(n, n, k, k)``, or ``(n, n)`` for a scalar kernel times the identity.
"""

from ntk.function_space.descent import KernelGradientDescent
from ntk.function_space.dual import DualElement, derivative, dual_map
from ntk.function_space.gradient import cost_rate, kernel_gradient
from ntk.function_space.kernels import kernel_inner_product, kernel_matrix, kernel_seminorm
from ntk.function_space.measure import inner_product, seminorm
from ntk.function_space.random_functions import (
    expected_squared_error,
    random_functions,
    random_linear_model,
    tangent_kernel,
)

__all__ = [
    "DualElement",
    "KernelGradientDescent",
    "cost_rate",
    "derivative",
    "dual_map",
    "expected_squared_error",
    "inner_product",
    "kernel_gradient",
    "kernel_inner_product",
    "kernel_matrix",
    "kernel_seminorm",
    "random_functions",
    "random_linear_model",
    "seminorm",
    "tangent_kernel",
]
