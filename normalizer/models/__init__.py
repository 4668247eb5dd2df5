"""What is judged by models: class, sort and category of words, and which office a report is for.

A model is word lists from the first day, and an edition once something was learned. Loading costs nothing that is not
used: numpy and scipy are imported with the first learned model, scikit-learn only for training.
"""

from normalizer.models.classified import Classified, Classifier
from normalizer.models.classifier import TextClassifier, cold_classifier, load_classifier

__all__ = ["Classified", "Classifier", "TextClassifier", "cold_classifier", "load_classifier"]
