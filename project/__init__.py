"""What the rooms share: the account as live/ has it, paths, what is deployed, console and locks."""
