"""What runs: one service a module."""
