"""The neural tangent kernel in JAX: limits, finite networks, training dynamics."""

__version__ = "0.1.0"
