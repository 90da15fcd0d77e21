"""What runs the portal: the local run, its demo firm, and what operators are given."""
