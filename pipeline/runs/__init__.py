"""What lies in the roots of runs on this machine: looked at, held side by side, and tidied up."""
