"""Small faults put into copies of the code, one at a time, to see which of them no test notices."""
