"""The parts of the fault drill (`bench/faults.py`): the stack, the load, the world outside, the faults, the checks."""
