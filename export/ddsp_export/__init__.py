"""From a trained model to a file that a device can play."""
