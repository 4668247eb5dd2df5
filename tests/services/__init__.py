"""Real services for the tests and the fault drill: started here, on free ports, ended by process id."""
