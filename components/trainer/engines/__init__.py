"""What takes training steps: one engine for each kind of device."""
