"""What the platforms that take a compiled pipeline have in common; each has a room of its own beside this one."""
