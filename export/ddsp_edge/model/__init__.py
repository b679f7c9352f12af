"""The model file and what runs its network: LiteRT, or numpy."""
