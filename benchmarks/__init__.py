"""What the project costs, each figure as a ratio against an alternative measured in the same run."""
