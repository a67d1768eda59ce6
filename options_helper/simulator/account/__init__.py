"""The simulated account: orders, executions and positions."""
