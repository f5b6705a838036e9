"""Training of finite networks, with a record that can be laid over the flow of the limit."""

from ntk.training.api import train
from ntk.training.record import Movement, TrainingRecord

__all__ = ["Movement", "TrainingRecord", "train"]
