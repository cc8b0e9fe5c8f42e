"""The process that works out answers: it holds one version of the model, and TensorFlow, and knows nothing of HTTP."""
