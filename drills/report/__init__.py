"""What a drill leaves: figures for machines, and one page for people."""
