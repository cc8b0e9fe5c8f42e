"""What the consoles of Kubeflow and Vertex AI show of a step: figures, Markdown and HTML, in their own types."""
