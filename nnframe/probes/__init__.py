"""What research looks at inside of a model. Nothing here changes a model, its gradients, state or random streams."""
