"""The departments' servers and the simulator's own control endpoint."""
