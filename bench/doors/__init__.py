"""The parts of `bench/doors_drill.py`: roads to the peers, the peers, the citizens, the faults, the books."""
