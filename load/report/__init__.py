"""What a run leaves: figures for machines, and one page for people."""
