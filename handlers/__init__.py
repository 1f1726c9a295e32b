"""The doors: what AWS Lambda calls. Each is built once, at cold start, from the environment."""
