"""The recurrent network: settings, Keras training, numpy forward pass, the model file."""
