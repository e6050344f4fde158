"""Understanding: Rasa's components, read in the order of config.yml, and the sentences they learn from (data/).

encoder_featurizer (a message becomes a vector) · entities (places, dates, order numbers) · intent_classifier.
"""
