"""Models of the size that people train, in Flax: functions ``f(params, x)`` and their parameters.

Nothing here is special to tangent kernels: they stand for a model of one's own.
"""

from ntk.errors import MissingExtraError

try:
    import flax  # noqa: F401  (if it is missing, say so before a submodule fails)
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "ntk.companion.models needs flax, which is not installed; "
        "install the extra: pip install 'ntk-companion[book]'"
    ) from error

from ntk.companion.models.images import colour_images
from ntk.companion.models.resnet import ResNet18, resnet18
from ntk.companion.models.transformer import VisionTransformer, vision_transformer

__all__ = ["ResNet18", "VisionTransformer", "colour_images", "resnet18", "vision_transformer"]
