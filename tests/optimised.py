"""Compilation as outside of the tests, where roundings are the question."""

# What `tests/conftest.py` turns off: another order of operations rounds otherwise.
WELL = {
    "xla_backend_optimization_level": 3,
    "xla_cpu_use_fusion_emitters": True,
    "xla_llvm_disable_expensive_passes": False,
}
