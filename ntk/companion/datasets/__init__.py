"""Data for the book and for quick experiments: images, small tables, synthetic inputs.

Everything ships with the package and is loaded without a network. Results are numpy arrays,
so that no JAX device is touched before a computation asks for one.
"""

from ntk.companion.datasets.images import Normalisation, fashion_mnist
from ntk.companion.datasets.labels import one_hot
from ntk.companion.datasets.records import Split, Table, Teacher, TeacherStudent
from ntk.companion.datasets.spheres import circle, on_sphere, sphere
from ntk.companion.datasets.tables import uci, uci_names
from ntk.companion.datasets.teachers import teacher_student

__all__ = [
    "Normalisation",
    "Split",
    "Table",
    "Teacher",
    "TeacherStudent",
    "circle",
    "fashion_mnist",
    "on_sphere",
    "one_hot",
    "sphere",
    "teacher_student",
    "uci",
    "uci_names",
]
