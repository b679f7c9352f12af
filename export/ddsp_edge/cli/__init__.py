"""The command `ddsp-edge`: one file a command."""
