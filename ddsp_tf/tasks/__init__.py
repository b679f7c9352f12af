"""What models are for: a folder a task, behind the protocol of `task.py`."""
