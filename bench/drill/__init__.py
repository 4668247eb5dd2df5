"""The parts of the fault drill (`bench/faults.py`): the stack, the load, the providers, the faults, the checks."""
