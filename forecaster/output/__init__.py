"""Tables, documents, charts and progress, for people and scripts."""
